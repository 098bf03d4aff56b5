/* scep-admin.fcgi as a program: what operators and their programs ask for by HTTP. It holds no key and links nothing that signs. */
#ifndef API_PROGRAM_H
#define API_PROGRAM_H

#include "server/program.h"

extern const struct program admin_program;

#endif
