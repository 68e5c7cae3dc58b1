// memcpy, memmove, memset, memcmp and bcmp for 64-bit Arm, hidden.
    .text
    .globl memcpy
    .globl memmove
    .globl memset
    .globl memcmp
    .globl bcmp
    .globl rust_eh_personality
    .hidden memcpy
    .hidden memmove
    .hidden memset
    .hidden memcmp
    .hidden bcmp
    .hidden rust_eh_personality
    .type memcpy, %function
    .type memmove, %function
    .type memset, %function
    .type memcmp, %function
    .type bcmp, %function
    .type rust_eh_personality, %function

memmove:
    sub x3, x0, x1
    cmp x3, x2
    b.hs memcpy
    // The target begins within the source: from the end.
1:
    cbz x2, 2f
    sub x2, x2, #1
    ldrb w4, [x1, x2]
    strb w4, [x0, x2]
    b 1b
2:
    ret

memcpy:
    mov x3, #0
3:
    cmp x3, x2
    b.hs 4f
    ldrb w4, [x1, x3]
    strb w4, [x0, x3]
    add x3, x3, #1
    b 3b
4:
    ret

memset:
    mov x3, #0
5:
    cmp x3, x2
    b.hs 6f
    strb w1, [x0, x3]
    add x3, x3, #1
    b 5b
6:
    ret

memcmp:
bcmp:
    mov x3, #0
7:
    cmp x3, x2
    b.hs 8f
    ldrb w4, [x0, x3]
    ldrb w5, [x1, x3]
    add x3, x3, #1
    subs w4, w4, w5
    b.eq 7b
    mov w0, w4
    ret
8:
    mov w0, #0
    ret

// Nothing unwinds; parts of the compiled core name it all the same.
rust_eh_personality:
    brk #1
