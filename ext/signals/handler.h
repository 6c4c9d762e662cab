/* A handler of signals that asks loops to stop, then calls the handler that was there before. */
#ifndef NDQ_SIGNAL_HANDLER_H
#define NDQ_SIGNAL_HANDLER_H

#include <stdint.h>

#include "stop.h"

enum { NDQ_MAX_WATCHED = 1024 };

/* Puts the handler in front of those that handle a signal now; where it is already, nothing happens. Signals that are
 * ignored or end the process, and those whose handler came after ours, are left alone. */
void ndq_signals_install(void);

/* Sets `stop` when SIGINT, SIGTERM or SIGHUP comes, with `every` when any signal does that is looked for; the reason is
 * the signal's number. Returns a slot for `remove`, -1 if there is none left. `stop` must live until then. */
int ndq_signals_add(ndq_stop *stop, int every);
void ndq_signals_remove(int slot);

/* When SIGINT, SIGTERM or SIGHUP last came, and what that clock says now, in ns; 0 if none has come. */
int64_t ndq_signals_last(void);
int64_t ndq_signals_now(void);

#endif
