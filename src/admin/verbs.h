/* What the table of verbs runs; each is at home in the file of its group. */
#ifndef ADMIN_VERBS_H
#define ADMIN_VERBS_H

int ca_init_run(int argc, char **argv);
int ca_issue_ra_run(int argc, char **argv);
int ca_rollover_run(int argc, char **argv);
int ca_rotate_ra_run(int argc, char **argv);
int db_init_run(int argc, char **argv);
int db_migrate_run(int argc, char **argv);
int db_status_run(int argc, char **argv);
int challenge_new_run(int argc, char **argv);
int challenge_list_run(int argc, char **argv);
int challenge_revoke_run(int argc, char **argv);
int request_list_run(int argc, char **argv);
int request_show_run(int argc, char **argv);
int request_approve_run(int argc, char **argv);
int request_reject_run(int argc, char **argv);
int cert_list_run(int argc, char **argv);
int cert_show_run(int argc, char **argv);
int cert_revoke_run(int argc, char **argv);
int crl_run(int argc, char **argv);
int profile_list_run(int argc, char **argv);
int profile_show_run(int argc, char **argv);
int profile_new_run(int argc, char **argv);
int check_run(int argc, char **argv);
int show_run(int argc, char **argv);

#endif
