/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/value.h"

const char value_overflow[] = "overflow: does not fit 64 bits";
