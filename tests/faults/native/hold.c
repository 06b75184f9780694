/* hold THREAD: one thread of a process stands still, the others go on, until standard input ends.
   What is said when it stands: "held". */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **words) {
    pid_t thread = count > 1 ? atoi(words[1]) : 0;
    int status;
    char byte;
    if (thread == 0 || ptrace(PTRACE_SEIZE, thread, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0
        || waitpid(thread, &status, __WALL) != thread) {
        perror("hold");
        return 1;
    }
    puts("held");
    fflush(stdout);
    while (read(0, &byte, 1) > 0) {
    }
    ptrace(PTRACE_DETACH, thread, 0, 0);
    return 0;
}
