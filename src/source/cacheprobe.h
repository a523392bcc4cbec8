/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CACHEPROBE_H
#define VMVIEW_SOURCE_CACHEPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "source/cacheprobe_wire.h"

struct cacheprobe;

/*
 * How much of files is in the page cache: files that processes map or have open, and all files of
 * directories. Files are somebody else's, so a child process opens them, one batch of questions at a time;
 * answers come back through memory that both share:
 *
 * - Nothing is read, and no time of access changes where the kernel lets us (O_NOATIME).
 * - Only regular files are opened. In a directory where others may put something else in a file's place
 *   the file is held by O_PATH and looked at first.
 * - No symbolic link is followed, and no mount entered, but those of the path that starts a walk.
 * - A question that has no answer after the timeout is given up with its child, which may never end; the
 *   next child goes on with the next question, and asks nothing more of that device.
 *   After PROBE_LOST_MAX children nothing more is asked.
 *
 *	probe = cacheprobe_new(timeout_ns, way);
 *	start = cacheprobe_start(probe, path) ..	ask PROBE_START of it
 *	cacheprobe_ask(probe, &item) ..
 *	cacheprobe_run(probe, sink, ctx);		(asks all, and forgets them; sink asks nothing)
 */
enum { PROBE_LOST_MAX = 8, PROBE_ITEMS_MAX = 1024 };

/* timeout_ns 0: wait for ever. way: CACHE_CACHESTAT, with mincore where the kernel has none; or CACHE_MINCORE. */
struct cacheprobe *cacheprobe_new(uint64_t timeout_ns, enum cache_source way);
void cacheprobe_free(struct cacheprobe *probe);

/*
 * A path that files are found from; it has to live as long as the probe. Given by the user: below is
 * PROBE_NO_START, and symbolic links are followed. Else it is a mount point that was met, found from the
 * start below by no link.
 */
uint32_t cacheprobe_start(struct cacheprobe *probe, uint32_t below, const char *path);

void cacheprobe_ask(struct cacheprobe *probe, const struct probe_item *item);

/* Whether PROBE_ITEMS_MAX have been asked. */
bool cacheprobe_is_full(const struct cacheprobe *probe);

extern const char *const probe_reasons[PROBE_WHYS];

typedef void (*probe_sink)(void *ctx, const struct probe_reply *reply, struct bytes name);

void cacheprobe_run(struct cacheprobe *probe, probe_sink sink, void *ctx);

#endif
