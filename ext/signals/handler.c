/* The handler runs in whichever thread the system chooses, at any instruction: it only loads and stores lock-free
 * atomics and reads a clock (POSIX: clock_gettime is async-signal-safe). */
#include "handler.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

/* The first N_ENDING ask a program to end; the others are looked for because a handler in Python may raise. */
static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGVTALRM, SIGUSR1, SIGUSR2, SIGQUIT};
enum { N_ENDING = 3, N_NUMBERS = sizeof numbers / sizeof *numbers };

typedef void (*full_handler)(int, siginfo_t *, void *);

static struct {
    atomic_int is_full; /* whether `handler` takes three arguments */
    _Atomic(void *) handler;
} before[N_NUMBERS];

static struct {
    _Atomic(ndq_stop *) stop; /* NULL: free */
    atomic_int every;
} watched[NDQ_MAX_WATCHED];

static atomic_int n_used;   /* slots from here on have never been used */
static atomic_int n_inside; /* handlers that are looking at `watched` */
static atomic_llong last;

static int index_of(int number)
{
    for (int i = 0; i < N_NUMBERS; i++)
        if (numbers[i] == number) return i;
    return N_NUMBERS;
}

static void stop_watched(int number, int is_ending)
{
    atomic_fetch_add(&n_inside, 1);
    const int n = atomic_load(&n_used);
    for (int i = 0; i < n; i++) {
        ndq_stop *stop = atomic_load(&watched[i].stop);
        if (stop && (is_ending || atomic_load(&watched[i].every))) ndq_stop_set(stop, number);
    }
    atomic_fetch_sub(&n_inside, 1);
}

static void handle(int number, siginfo_t *info, void *context)
{
    const int saved_errno = errno, at = index_of(number), is_ending = at < N_ENDING;
    if (is_ending) atomic_store(&last, ndq_signals_now());
    stop_watched(number, is_ending);
    void *handler = atomic_load(&before[at].handler);
    if (atomic_load(&before[at].is_full))
        ((full_handler)handler)(number, info, context);
    else
        ((void (*)(int))handler)(number);
    /* Again: a loop in another thread may have stopped, found that Python knew of no signal yet, and begun anew. */
    stop_watched(number, is_ending);
    errno = saved_errno;
}

static void install(int at)
{
    struct sigaction now, ours;
    if (sigaction(numbers[at], NULL, &now)) return;
    const int is_full = (now.sa_flags & SA_SIGINFO) != 0;
    void *handler = is_full ? (void *)now.sa_sigaction : (void *)now.sa_handler;
    void *known = atomic_load(&before[at].handler);
    if (handler == (void *)handle || handler == (void *)SIG_DFL || handler == (void *)SIG_IGN) return;
    /* Another library's may call ours, and ours would call it. Python's own, which is SIGINT's from the start, calls none:
     * it may follow one of a library, as SDL puts in place of the default. */
    if (known && known != handler && handler != atomic_load(&before[0].handler)) return;
    atomic_store(&before[at].is_full, is_full);
    atomic_store(&before[at].handler, handler);
    ours = now;
    ours.sa_sigaction = handle;
    ours.sa_flags |= SA_SIGINFO;
    sigaction(numbers[at], &ours, NULL);
}

void ndq_signals_install(void)
{
    for (int i = 0; i < N_NUMBERS; i++) install(i);
}

/* Called by one thread at a time, which holds the GIL; so is `remove`. */
int ndq_signals_add(ndq_stop *stop, int every)
{
    for (int i = 0; i < NDQ_MAX_WATCHED; i++) {
        if (atomic_load(&watched[i].stop)) continue;
        atomic_store(&watched[i].every, every);
        atomic_store(&watched[i].stop, stop);
        if (i >= atomic_load(&n_used)) atomic_store(&n_used, i + 1);
        return i;
    }
    return -1;
}

void ndq_signals_remove(int slot)
{
    atomic_store(&watched[slot].stop, NULL);
    while (atomic_load(&n_inside)) sched_yield(); /* one that has loaded the pointer writes through it */
}

int64_t ndq_signals_last(void) { return atomic_load(&last); }

int64_t ndq_signals_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
