/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_TASK_STATUS_H
#define VMVIEW_SOURCE_TASK_STATUS_H

#include "model/task_status.h"

/*
 * Parse the text of /proc/PID/status (proc_pid_status(5)) in one pass; pure. A number that is none or
 * does not fit is not known, unknown lines are passed over. Never fails: of text that is no status
 * nothing is known. What follows on Threads, for a task with Vm lines or Kthread, is not looked at.
 */
void task_status_parse(struct bytes text, struct task_status *out);

#endif
