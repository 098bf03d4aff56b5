/* What every unit test includes first: cmocka, whose macro fail() would hide ours (base/err.h). */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail
#undef fail_msg
/* cmocka's calls its fail() */
#define fail_msg(msg, ...) (print_error("ERROR: " msg "\n", ##__VA_ARGS__), _fail(__FILE__, __LINE__))

#endif
