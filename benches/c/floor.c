/* The floor: the cost of a program that does the hook's reading and nothing else. It reads config.toml, the container
 * state on standard input and config.json, each whole, and executes the target. It parses nothing: the paths of the
 * files and the program to execute are arguments. `floor CONFIG SPEC [PROGRAM ARG...]`; without a program it ends. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char small[16 << 10];

/* Reads to the end: into a fixed buffer, or, if that is too small, into one of the file's size. A pipe has no size and
 * delivers pieces, which are read one after the other into one place. A first piece that ends in a brace is all. */
static int read_all(int fd) {
    ssize_t got = read(fd, small, sizeof small);
    if (got < 0)
        return -1;
    if (got < (ssize_t)sizeof small && (fd != 0 || got == 0 || small[got - 1] == '}'))
        return 0;
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    if (S_ISFIFO(status.st_mode)) {
        static char pipe[64 << 10];
        while ((got = read(fd, pipe, sizeof pipe)) > 0)
            ;
        return (int)got;
    }
    size_t left = (size_t)status.st_size - (size_t)got;
    char *rest = malloc(left);
    if (rest == NULL)
        return -1;
    for (size_t filled = 0; filled < left; filled += (size_t)got) {
        got = read(fd, rest + filled, left - filled);
        if (got <= 0)
            return -1;
    }
    return 0;
}

static int read_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read_all(fd) != 0)
        return -1;
    return close(fd);
}

int main(int argc, char **argv, char **envp) {
    if (argc < 3 || read_file(argv[1]) != 0 || read_all(0) != 0 || read_file(argv[2]) != 0)
        return 1;
    if (argc == 3)
        return 0;
    execve(argv[3], argv + 3, envp);
    return 1;
}
