/* The program executed in place of nvidia-container-cli: it does nothing, so that only the hook is measured. */
int main(void) { return 0; }
