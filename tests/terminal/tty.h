/* A terminal in memory: the program runs on a pty, libvterm keeps its screen. Tests wait for text with a deadline. */
#ifndef TAILOR_TESTS_TERMINAL_TTY_H
#define TAILOR_TESTS_TERMINAL_TTY_H

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <vterm.h>

enum { TTY_LOG = 1 << 20, TTY_SECONDS = 10 };

struct tty {
    int fd;
    pid_t pid;
    VTerm *vt;
    int rows, columns;
    char *log; /* every byte the program wrote */
    size_t logged;
    bool ended; /* the program closed its side */
};

static inline double tty_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline bool tty_open(struct tty *t, int rows, int columns, char *const argv[])
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    memset(t, 0, sizeof *t);
    t->rows = rows;
    t->columns = columns;
    t->log = calloc(1, TTY_LOG + 1);
    t->vt = vterm_new(rows, columns);
    if (!t->log || !t->vt)
        return false;
    vterm_set_utf8(t->vt, 1);
    vterm_screen_reset(vterm_obtain_screen(t->vt), 1);
    t->pid = forkpty(&t->fd, NULL, NULL, &size);
    if (t->pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        execv(argv[0], argv);
        _exit(127);
    }
    return t->pid > 0;
}

/* Takes in what the program writes within `seconds`. */
static inline void tty_read(struct tty *t, double seconds)
{
    char bytes[4096];
    struct pollfd ready = {.fd = t->fd, .events = POLLIN};
    if (t->ended || poll(&ready, 1, (int)(seconds * 1000)) <= 0)
        return;
    ssize_t n = read(t->fd, bytes, sizeof bytes);
    if (n <= 0) {
        t->ended = true;
        return;
    }
    vterm_input_write(t->vt, bytes, (size_t)n);
    if (t->logged + (size_t)n <= TTY_LOG) {
        memcpy(t->log + t->logged, bytes, (size_t)n);
        t->logged += (size_t)n;
    }
}

/* The screen as lines without blanks at their ends; static, good until the next call. */
static inline const char *tty_screen(struct tty *t)
{
    static char text[1 << 16];
    size_t n = 0;
    VTermScreen *screen = vterm_obtain_screen(t->vt);
    for (int row = 0; row < t->rows; row++) {
        VTermRect rect = {row, row + 1, 0, t->columns};
        n += vterm_screen_get_text(screen, text + n, sizeof text - n - 2, rect);
        while (n && text[n - 1] == ' ')
            n--;
        text[n++] = '\n';
    }
    text[n] = 0;
    return text;
}

static inline bool tty_wait(struct tty *t, const char *text)
{
    double deadline = tty_now() + TTY_SECONDS;
    while (!strstr(tty_screen(t), text)) {
        if (tty_now() > deadline || t->ended)
            return false;
        tty_read(t, 0.1);
    }
    return true;
}

static inline bool tty_wait_gone(struct tty *t, const char *text)
{
    double deadline = tty_now() + TTY_SECONDS;
    while (strstr(tty_screen(t), text)) {
        if (tty_now() > deadline || t->ended)
            return false;
        tty_read(t, 0.1);
    }
    return true;
}

static inline void tty_send(struct tty *t, const char *keys)
{
    for (size_t n = strlen(keys), done = 0; done < n;) {
        ssize_t sent = write(t->fd, keys + done, n - done);
        if (sent < 0 && errno != EINTR)
            return;
        done += sent > 0 ? (size_t)sent : 0;
    }
}

/* Waits for the program's end; its exit code, or -1 when it had to be killed. */
static inline int tty_end(struct tty *t)
{
    double deadline = tty_now() + TTY_SECONDS;
    int state = 0, code = -1;
    pid_t gone;
    while ((gone = waitpid(t->pid, &state, WNOHANG)) == 0 && tty_now() < deadline)
        tty_read(t, 0.05);
    if (gone == t->pid) {
        code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    } else {
        kill(t->pid, SIGKILL);
        waitpid(t->pid, &state, 0);
    }
    while (!t->ended && t->fd >= 0) {
        size_t before = t->logged;
        tty_read(t, 0.05);
        if (t->logged == before)
            break;
    }
    return code;
}

static inline void tty_close(struct tty *t)
{
    close(t->fd);
    vterm_free(t->vt);
    free(t->log);
}

#endif
