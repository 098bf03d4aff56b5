/* A sign of life for work that takes more than a second, on standard error and only when that is a terminal. */
#ifndef ADMIN_PROGRESS_H
#define ADMIN_PROGRESS_H

/*
 * Starts: after one second, and then every second, a line "what ... 3 s" (with a count, if one is given meanwhile:
 * "what ... 120 of 1000, 3 s") is rewritten by a timer, so that the work itself may be one long call. One at a time. Uses SIGALRM.
 */
void progress_start(const char *what);		/* must live until progress_stop */
void progress_count(long done, long total);
void progress_stop(void);			/* wipes the line */

#endif
