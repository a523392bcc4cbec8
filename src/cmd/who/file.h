/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHO_FILE_H
#define VMVIEW_CMD_WHO_FILE_H

struct error;
struct who_run;

/* `vmview who PATH`: which pages of the file are cached, dirty, mapped, and by whom. 0 or -errno. */
int who_file(struct who_run *run, const char *path, struct error *err);

#endif
