/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encoders: no byte that a terminal may not get, the width that was announced, JSON that comes back
 * as what it was, CSV cells that are one cell and no formula.
 */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/out.h"

#include "../unit/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static struct bytes bytes_in(const struct out *out)
{
	return (struct bytes){ out->buf, out->len };
}

static void check_text(struct bytes from, struct out *out)
{
	struct out again;
	size_t width = encode_text(out, from);

	check(utf8_is_clean(bytes_in(out)));
	check(width == encode_text_width(from) && width == encode_text_width(bytes_in(out)));
	out_init_memory(&again);
	encode_text(&again, bytes_in(out));
	check(bytes_equal(bytes_in(&again), bytes_in(out)));
	for (size_t room = 3; room < 40; room += 1 + room / 8) {
		size_t used;

		again.len = 0;
		used = encode_text_cut(&again, from, room);
		check(used <= room && used == encode_text_width(bytes_in(&again)));
		check(utf8_is_clean(bytes_in(&again)));
		check(used == width || width > room);
	}
	out_fini(&again);
}

static void check_json(struct bytes from, struct out *out)
{
	char *back = malloc(3 * from.len + 8);
	size_t len;
	bool exact;

	out->len = 0;
	exact = encode_json(out, from);
	check(json_is_valid(bytes_in(out)));
	check(json_string_decode(bytes_in(out), back, 3 * from.len + 8, &len));
	check(exact == bytes_equal((struct bytes){ back, len }, from));
	check(exact || memmem(back, len, "\xef\xbf\xbd", 3));
	free(back);
}

static void check_csv(struct bytes from, struct out *out)
{
	bool quoted;

	out->len = 0;
	encode_csv(out, from);
	check(utf8_is_clean(bytes_in(out)));
	if (!out->len)
		return;
	quoted = out->buf[0] == '"';
	check(!strchr("=+-@", out->buf[quoted]));
	if (quoted)
		check(out->len >= 2 && out->buf[out->len - 1] == '"');
	for (size_t i = quoted; i < out->len - quoted; i++) {
		check(quoted || !strchr("\",; ", out->buf[i]));
		if (out->buf[i] == '"')
			check(out->buf[++i] == '"' && i < out->len - 1);
	}
}

static void check_hex(struct bytes from, struct out *out)
{
	out->len = 0;
	encode_hex(out, from);
	check(out->len == 2 * from.len);
	for (size_t i = 0; i < from.len; i++) {
		char hex[] = { out->buf[2 * i], out->buf[2 * i + 1], '\0' };

		check(strtoul(hex, NULL, 16) == (unsigned char)from.data[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes from = { (const char *)data, size };
	struct out out;

	setlocale(LC_CTYPE, "C.UTF-8");
	out_init_memory(&out);
	check_text(from, &out);
	check_json(from, &out);
	check_csv(from, &out);
	check_hex(from, &out);
	out_fini(&out);
	return 0;
}
