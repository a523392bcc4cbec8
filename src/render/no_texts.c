/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/schema_text.h"
#include "render/viewer_text.h"

/* For the program that tells its tables while these texts are made. */
const char schema_text[] = "";
const char viewer_head[] = "";
const char viewer_tail[] = "";
