/* The SCEP responder as a program: what scep.fcgi loads, opens and answers with. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "server/program.h"

extern const struct program scep_program;

#endif
