// memcpy, memmove, memset, memcmp and bcmp for x86_64, hidden.
    .text
    .globl memcpy, memmove, memset, memcmp, bcmp, rust_eh_personality
    .hidden memcpy, memmove, memset, memcmp, bcmp, rust_eh_personality
    .type memcpy, @function
    .type memmove, @function
    .type memset, @function
    .type memcmp, @function
    .type bcmp, @function
    .type rust_eh_personality, @function

memcpy:
    movq %rdi, %rax
    movq %rdx, %rcx
    rep movsb
    ret

memmove:
    movq %rdi, %rax
    movq %rdx, %rcx
    movq %rdi, %r8
    subq %rsi, %r8
    cmpq %rdx, %r8
    jae 1f
    // The target begins within the source: from the end.
    leaq -1(%rdi,%rdx), %rdi
    leaq -1(%rsi,%rdx), %rsi
    std
    rep movsb
    cld
    ret
1:
    rep movsb
    ret

memset:
    movq %rdi, %r8
    movl %esi, %eax
    movq %rdx, %rcx
    rep stosb
    movq %r8, %rax
    ret

memcmp:
bcmp:
    xorl %ecx, %ecx
2:
    cmpq %rdx, %rcx
    jae 3f
    movzbl (%rdi,%rcx), %eax
    movzbl (%rsi,%rcx), %r8d
    incq %rcx
    subl %r8d, %eax
    jz 2b
    ret
3:
    xorl %eax, %eax
    ret

// Nothing unwinds; parts of the compiled core name it all the same.
rust_eh_personality:
    ud2
