/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/encode.h"
#include "cmd/record/record.h"
#include "config.h"
#include "engine/context.h"
#include "source/root.h"

static void key(struct out *out, const char *name)
{
	encode_json(out, bytes_of(name));
	out_str(out, ": ");
}

static void text(struct out *out, const char *name, struct bytes value)
{
	key(out, name);
	encode_json(out, value);
	out_str(out, ", ");
}

static void flag(struct out *out, const char *name, bool value, const char *after)
{
	key(out, name);
	out_str(out, value ? "true" : "false");
	out_str(out, after);
}

static void seconds(struct out *out, const char *name, const struct timespec *time)
{
	out_str(out, "  ");
	key(out, name);
	out_printf(out, "%lld.%06ld,\n", (long long)time->tv_sec, time->tv_nsec / 1000);
}

static void write_missing(struct out *out, const struct missing *missing)
{
	key(out, "missing");
	out_char(out, '{');
	for (size_t i = 0; i < missing->count; i++) {
		out_str(out, i ? ", " : "");
		key(out, missing->items[i].key);
		encode_json(out, bytes_of(missing->items[i].reason));
	}
	out_char(out, '}');
}

static void write_host(struct record_run *run, struct out *out)
{
	struct utsname names = { .release = "" };
	struct bytes boot = { "", 0 };

	uname(&names);
	if (root_read(&run->ctx->root, &run->arena, &boot, NULL, "proc/sys/kernel/random/boot_id"))
		boot.len = 0;
	boot.len -= boot.len && boot.data[boot.len - 1] == '\n';
	out_str(out, "  \"host\": {");
	text(out, "name", bytes_of(names.nodename));
	text(out, "kernel", bytes_of(names.release));
	text(out, "machine", bytes_of(names.machine));
	text(out, "boot_id", boot);
	out_printf(out, "\"page_size\": %zu},\n", run->ctx->host.page_size);
}

static void write_time(struct record_run *run, struct out *out)
{
	char when[64];
	struct tm utc;

	if (gmtime_r(&run->real.tv_sec, &utc) &&
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc))
		out_printf(out, "  \"time\": \"%s.%06ldZ\",\n", when, run->real.tv_nsec / 1000);
	seconds(out, "monotonic", &run->monotonic);
	seconds(out, "boottime", &run->boottime);
}

static void write_processes(struct record_run *run, struct out *out)
{
	out_str(out, "  \"processes\": [");
	for (size_t i = 0; i < run->count; i++) {
		const struct recorded *recorded = &run->list[i];

		out_str(out, i ? ",\n    {" : "\n    {");
		out_printf(out, "\"pid\": %d, ", recorded->pid);
		text(out, "name", recorded->comm);
		out_printf(out, "\"start_time\": %llu, ", (unsigned long long)recorded->start_time);
		flag(out, "complete", recorded->complete, ", ");
		write_missing(out, &recorded->missing);
		out_char(out, '}');
	}
	out_str(out, run->count ? "\n  ],\n" : "],\n");
}

void record_manifest(struct record_run *run)
{
	struct out out;

	out_init_memory(&out);
	out_str(&out, "{\n  ");
	text(&out, "vmview", bytes_of(PACKAGE_VERSION));
	out_printf(&out, "\"recording\": %d,\n  ", RECORDING_VERSION);
	text(&out, "version", bytes_of(PACKAGE_VERSION));
	out_char(&out, '\n');
	write_host(run, &out);
	write_time(run, &out);
	out_printf(&out, "  \"rights\": {\"uid\": %u, ", (unsigned)geteuid());
	flag(&out, "frames", caps_has(&run->caps, CAPS_FRAMES), "},\n");
	out_str(&out, "  \"options\": {");
	flag(&out, "pages", run->options.frames, ", ");
	flag(&out, "elf", run->options.elf, "},\n");
	write_processes(run, &out);
	out_str(&out, "  ");
	flag(&out, "complete", context_is_complete(run->ctx), ",\n  ");
	write_missing(&out, &run->missing);
	out_str(&out, "\n}\n");
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "manifest.json");
	out_fini(&out);
}
