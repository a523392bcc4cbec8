/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/cow.h"

#include "model/page.h"

enum side { NOTHING, ANON, FILED, AWAY };

static enum side side_of(uint64_t word)
{
	switch (page_state(word)) {
	case PAGE_PRESENT:
		return word & PAGEMAP_FILE ? FILED : ANON;
	case PAGE_SWAPPED:
	case PAGE_MIGRATION:
		return AWAY;
	default:
		return NOTHING;
	}
}

enum cow_class cow_compare(struct cow_page parent, struct cow_page child)
{
	enum side ours = side_of(parent.word), theirs = side_of(child.word);

	if (ours == ANON && theirs == ANON)
		return pagemap_pfn(parent.word) == pagemap_pfn(child.word) ? COW_SHARED :
									     COW_DIFFERENT;
	if (ours == AWAY || theirs == AWAY) {
		if (ours == theirs && (parent.word & PAGEMAP_PAYLOAD) &&
		    (parent.word & PAGEMAP_PAYLOAD) == (child.word & PAGEMAP_PAYLOAD))
			return COW_SHARED_SWAP;
		return COW_UNDECIDED;
	}
	if (ours == ANON)
		return COW_PARENT_NEW;
	if (theirs == ANON)
		return COW_CHILD_NEW;
	return ours == FILED && theirs == FILED ? COW_FILE : COW_NONE;
}

enum cow_class cow_huge(struct cow_page parent, struct cow_page child)
{
	if (side_of(parent.word) != ANON || side_of(child.word) != ANON)
		return COW_NONE;
	if (parent.huge && child.huge)
		return pagemap_pfn(parent.word) == pagemap_pfn(child.word) ? COW_NONE :
									     COW_HUGE_COPIED;
	if (parent.huge == child.huge)
		return COW_NONE;
	return parent.huge ? COW_CHILD_SPLIT : COW_PARENT_SPLIT;
}

enum cow_class cow_who(uint64_t parent_flags, uint64_t child_flags)
{
	bool parent_marked = parent_flags & PAGE_FLAG(OWNER_2);
	bool child_marked = child_flags & PAGE_FLAG(OWNER_2);

	if (parent_marked == child_marked)
		return COW_EITHER_COPIED;
	return parent_marked ? COW_PARENT_COPIED : COW_CHILD_COPIED;
}

void cow_tally_merge(struct cow_tally *tally, const struct cow_tally *other)
{
	for (unsigned i = 0; i < COW_CLASSES; i++)
		tally->pages[i] += other->pages[i];
	tally->worst += other->worst;
}
