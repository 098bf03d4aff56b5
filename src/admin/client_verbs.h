/* The verbs that talk to a SCEP server. */
#ifndef ADMIN_CLIENT_VERBS_H
#define ADMIN_CLIENT_VERBS_H

int enroll_run(int argc, char **argv);
int bench_run(int argc, char **argv);

#endif
