/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording says of files: what was parsed is found, and written again parses to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/out.h"
#include "source/look_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct look_record *record)
{
	const struct look_reply *reply = &record->reply;

	if (reply->type > LOOK_DEVICE || reply->why >= WHY_COUNT ||
	    reply->place > LOOK_PLACE_OTHER || reply->linked > 1 ||
	    (reply->opened && reply->type != LOOK_ELF))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct look_records records, again;
	struct out out;

	if (look_records_parse(text, &records, NULL))
		return 0;
	out_init_memory(&out);
	for (size_t i = 0; i < records.count; i++) {
		check_record(&records.list[i]);
		if (!look_records_find(&records, &records.list[i].key))
			abort();
		look_record_write(&out, &records.list[i]);
	}
	if (look_records_parse((struct bytes){ out.buf, out.len }, &again, NULL) ||
	    again.count != records.count)
		abort();
	look_records_fini(&again);
	look_records_fini(&records);
	out_fini(&out);
	return 0;
}
