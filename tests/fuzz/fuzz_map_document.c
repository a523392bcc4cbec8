/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON document of anybody. Read at once or byte by byte it is the same; the mappings that come of it ascend and
 * do not overlap.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/moment.h"
#include "model/smaps_key.h"
#include "model/vma.h"
#include "model/vma_store.h"
#include "source/map_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	struct bytes left;
	size_t size;
};

static int more(void *ctx, struct bytes *piece)
{
	struct pieces *pieces = ctx;

	*piece = pieces->left;
	if (piece->len > pieces->size)
		piece->len = pieces->size;
	pieces->left.data += piece->len;
	pieces->left.len -= piece->len;
	return 0;
}

struct result {
	int rc;
	size_t count, malformed, processes;
	uint64_t sum;
};

static void check_order(const struct vma_store *store, struct result *result)
{
	uint64_t end = 0;
	struct vma vma;

	for (size_t i = 0; i < store->count; i++) {
		vma_store_get(store, i, &vma);
		if (vma.start < end || vma.end <= vma.start || vma.kind >= KIND_COUNT)
			abort();
		end = vma.end;
		result->sum += vma.start ^ vma.end ^ vma.field[SMAPS_RSS] ^ vma.path.len;
	}
}

static struct result read_in(const uint8_t *data, size_t size, size_t piece)
{
	struct pieces pieces = { { (const char *)data, size }, piece };
	struct map_document document;
	struct result result = { 0 };
	struct smaps_keys keys;
	struct vma_store store;
	struct arena arena;
	struct error err;
	struct json json;
	uint64_t ns;

	arena_init(&arena);
	vma_store_init(&store);
	smaps_keys_init(&keys);
	json_init(&json, more, &pieces);
	result.rc = map_document_read(
		&json, &(struct map_document_request){ 0, &keys, &arena, &store }, &document, &err);
	if (result.rc == 0) {
		check_order(&store, &result);
		result.count = store.count;
		result.malformed = document.malformed;
		result.processes = document.processes;
		moment_time_parse(document.time, &ns);
	}
	json_fini(&json);
	vma_store_fini(&store);
	arena_fini(&arena);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole = read_in(data, size, size ? size : 1), bytes = read_in(data, size, 1);

	if (whole.rc != bytes.rc || whole.count != bytes.count ||
	    whole.malformed != bytes.malformed || whole.processes != bytes.processes ||
	    whole.sum != bytes.sum)
		abort();
	return 0;
}
