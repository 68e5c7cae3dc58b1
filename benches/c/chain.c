/* Executes its arguments: with the target, two bare execs. */
#include <unistd.h>

int main(int argc, char **argv, char **envp) {
    if (argc > 1)
        execve(argv[1], argv + 1, envp);
    return 1;
}
