/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/range.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "model/vma.h"

static bool parse_addr(const char *at, size_t len, uint64_t *out)
{
	char text[24];

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, at, len);
	text[len] = '\0';
	return num_user_addr(text, out);
}

/* LO, a sign, and what is behind it. False where text is no such thing. */
static bool parse_span(struct range *range, const char *text)
{
	const char *sign = strpbrk(text, "-,+");
	uint64_t size;

	if (!sign || !parse_addr(text, (size_t)(sign - text), &range->start))
		return false;
	range->type = RANGE_SPAN;
	if (*sign != '+')
		return parse_addr(sign + 1, strlen(sign + 1), &range->end);
	if (!num_user_u64(sign + 1, &size) && !num_user_size(sign + 1, &size))
		return false;
	range->end = size > UINT64_MAX - range->start ? UINT64_MAX : range->start + size;
	return true;
}

int range_parse(struct range *range, const char *text, struct error *err)
{
	struct range parsed = { 0 };

	if (!*text)
		return error_set(err, EINVAL, "no range");
	if (parse_addr(text, strlen(text), &parsed.start)) {
		parsed.type = RANGE_MAPPING;
	} else if (parse_span(&parsed, text)) {
		if (parsed.end <= parsed.start)
			return error_set(err, EINVAL, "'%.80s': ends before it begins", text);
	} else {
		parsed = (struct range){ .type = RANGE_NAME, .name = bytes_of(text) };
	}
	*range = parsed;
	return 0;
}

static struct bytes base_name(struct bytes path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	size_t skip = slash ? (size_t)(slash - path.data) + 1 : 0;

	return (struct bytes){ skip ? path.data + skip : path.data, path.len - skip };
}

/* "libc" is libc.so.6 and libc-2.36.so, not libcrypt.so.1; "heap" and "[heap]" are the heap. */
static bool name_matches(struct bytes name, const struct vma *vma)
{
	struct bytes base = base_name(vma->path);
	struct bytes inner = base;

	if (bytes_equal(name, vma->path) || bytes_equal(name, base) ||
	    (vma->name.len && bytes_equal(name, vma->name)))
		return true;
	if (vma->kind != KIND_UNKNOWN && bytes_equal(name, bytes_of(kind_names[vma->kind])))
		return true;
	if (base.len > 2 && base.data[0] == '[' && base.data[base.len - 1] == ']')
		inner = (struct bytes){ base.data + 1, base.len - 2 };
	if (bytes_equal(name, inner))
		return true;
	return base.len > name.len && bytes_start_with(base, name) &&
	       (base.data[name.len] == '.' || base.data[name.len] == '-');
}

bool range_of(const struct range *range, const struct vma *vma, uint64_t page_size, uint64_t *start,
	      uint64_t *end)
{
	uint64_t mask = page_size - 1;

	*start = vma->start;
	*end = vma->end;
	switch (range->type) {
	case RANGE_ALL:
		return true;
	case RANGE_MAPPING:
		return vma->start <= range->start && range->start < vma->end;
	case RANGE_NAME:
		return name_matches(range->name, vma);
	case RANGE_SPAN:
		break;
	}
	if (range->end <= vma->start || range->start >= vma->end)
		return false;
	if (range->start > *start)
		*start = range->start & ~mask;
	if (range->end < *end)
		*end = range->end > UINT64_MAX - mask ? *end : (range->end + mask) & ~mask;
	return true;
}
