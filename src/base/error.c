/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/out.h"

/* error.h makes macros of them for the analyzer. */
#undef error_set
#undef error_errno

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		err->code = code;
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return -code;
}

int error_errno(struct error *err, int code, const char *format, ...)
{
	const char *reason = strerror(code);
	va_list args;
	size_t room, len;

	if (err) {
		err->code = code;
		/* what is too long loses its end, never the reason */
		room = sizeof(err->text) - strnlen(reason, 100) - 2;
		va_start(args, format);
		vsnprintf(err->text, room, format, args);
		va_end(args);
		len = strlen(err->text);
		snprintf(err->text + len, sizeof(err->text) - len, ": %s", reason);
	}
	return -code;
}

static void print(const char *text)
{
	struct out out;

	out_init(&out, STDERR_FILENO);
	out_str(&out, "vmview: ");
	encode_text(&out, bytes_of(text));
	out_char(&out, '\n');
	out_fini(&out);
}

void error_print(const struct error *err)
{
	print(err->text);
}

void error_note(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print(text);
}

const char *error_reason(int code)
{
	switch (code < 0 ? -code : code) {
	case EACCES:
	case EPERM:
		return "denied";
	case ESRCH:
	case ENOENT:
		return "gone";
	case ENOTTY:
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
		return "unsupported";
	case EPROTO:
		return "malformed";
	case EMFILE:
	case ENFILE:
		return "failed: too many open files";
	case ENOMEM:
		return "failed: no memory";
	case EFBIG:
		return "failed: too long";
	case EIO:
		return "failed: input/output error";
	default:
		return "failed";
	}
}
