/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_ERROR_H
#define VMVIEW_BASE_ERROR_H

#include <stdbool.h>

/*
 * What went wrong outside of us, in words: which file, which line, why. The place that knows writes
 * it, once; the caller decides what it means. Text may hold bytes from outside: print it with
 * error_print() or through an encoder only.
 */
struct error {
	int code; /* errno value, 0: none */
	char text[512];
};

/* Set code and text; returns -code, so that `return error_set(...)` reads well. err may be NULL. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the description of code behind the text. */
int error_errno(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* What the analyzer cannot see from here: both return less than 0. */
#define error_negative(call) \
	({ \
		int error_code = (call); \
		if (error_code >= 0) \
			__builtin_unreachable(); \
		error_code; \
	})
#define error_set(...) error_negative(error_set(__VA_ARGS__))
#define error_errno(...) error_negative(error_errno(__VA_ARGS__))
#endif

/* "vmview: TEXT" on stderr, made safe for a terminal. */
void error_print(const struct error *err);

/* As error_print(), for a message that is no error of a call. */
void error_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The reason that a value is absent, for an errno: "denied", "gone", "unsupported", "malformed", or
 * "failed", with what is in the way where that is known ("failed: too many open files").
 * The three that a user can act on are kept apart: EACCES and EPERM are rights, ESRCH and ENOENT a
 * task that went away, ENOTTY, EINVAL, ENOSYS, EOPNOTSUPP a kernel without the feature.
 */
const char *error_reason(int code);

#endif
