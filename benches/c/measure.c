/* Runs a program and prints what the kernel counted for it: page faults and peak memory in KiB. This is a separate
 * small program because the peak of a process begins at the peak of the process that started it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv, char **envp) {
    if (argc < 2)
        return 2;
    pid_t child = vfork();
    if (child == 0) {
        execve(argv[1], argv + 1, envp);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    printf("%ld %ld\n", usage.ru_minflt + usage.ru_majflt, usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
