/* When clients are told to come back: not all at the same time. */
#ifndef SERVER_RETRY_H
#define SERVER_RETRY_H

/*
 * At least `seconds`, at most about twice that and ten minutes more than it. Those who ask one after another are told times that lie far apart: so
 * many of them as a third of the span has seconds are all told different ones.
 */
int retry_spread(int seconds);

#endif
