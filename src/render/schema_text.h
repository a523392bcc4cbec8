/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_SCHEMA_TEXT_H
#define VMVIEW_RENDER_SCHEMA_TEXT_H

/* share/vmview.schema.json, as the build made it into C. */
extern const char schema_text[];

#endif
