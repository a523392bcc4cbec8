/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_VIEWER_TEXT_H
#define VMVIEW_RENDER_VIEWER_TEXT_H

/*
 * The page that shows a document (share/html/): what stands before the document and what after it. With
 * nothing between it opens files. viewer_text.c is made of it when vmview is built.
 */
extern const char viewer_head[], viewer_tail[];

#endif
