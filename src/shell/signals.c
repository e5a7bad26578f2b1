/* Signals of the terminal. The kernel may hand one to any thread (the linear algebra library starts some of its own
 * before main), so the handler only raises a flag and writes a byte into a pipe that the main thread waits on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "shell/session.h"

enum { INTERRUPT = 1, RESIZE = 2, STOP = 4, END = 8 };

static atomic_uint came;           /* which of them; taken in one go, so that none is lost */
static volatile sig_atomic_t bell; /* the pipe's writing end */

static const int caught[] = {SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP};

static void note(int signal)
{
    int saved = errno;
    atomic_fetch_or(&came, signal == SIGINT ? INTERRUPT : signal == SIGWINCH ? RESIZE : signal == SIGTSTP ? STOP : END);
    if (write(bell, "", 1) < 0) /* a full pipe rings just as well */
        errno = saved;
    errno = saved;
}

enum status signals_open(struct ears *e, struct error *err)
{
    if (pipe2(e->pipe, O_CLOEXEC | O_NONBLOCK)) {
        e->pipe[0] = e->pipe[1] = -1;
        return error_errno(err, "open", "a pipe");
    }
    bell = e->pipe[1];
    signals_catch();
    return ST_OK;
}

void signals_close(struct ears *e)
{
    signals_release();
    for (int i = 0; i < 2; i++)
        if (e->pipe[i] >= 0)
            close(e->pipe[i]);
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaction(caught[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a write says so itself */
}

void signals_release(void)
{
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
}

enum heard signals_wait(const struct ears *e, int fd, double seconds)
{
    struct pollfd fds[2] = {{.fd = e->pipe[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    int ready = poll(fds, 2, seconds < 0 ? -1 : (int)(seconds * 1000));
    if (ready < 0 || fds[0].revents)
        return HEARD_SIGNAL; /* before what is to be read: Ctrl-C comes before what was typed after it */
    return ready ? HEARD_INPUT : HEARD_NOTHING;
}

struct signals signals_take(const struct ears *e)
{
    char bytes[64];
    while (read(e->pipe[0], bytes, sizeof bytes) > 0)
        ;
    unsigned taken = atomic_exchange(&came, 0);
    return (struct signals){taken & INTERRUPT, taken & RESIZE, taken & STOP, taken & END};
}
