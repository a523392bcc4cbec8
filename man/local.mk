# SPDX-License-Identifier: GPL-2.0-or-later
#
# One page a line, sorted.
dist_man_MANS =
dist_man_MANS += %D%/vmview-allocs.1
dist_man_MANS += %D%/vmview-at.1
dist_man_MANS += %D%/vmview-cache.1
dist_man_MANS += %D%/vmview-cgroup.1
dist_man_MANS += %D%/vmview-cow.1
dist_man_MANS += %D%/vmview-elf.1
dist_man_MANS += %D%/vmview-faults.1
dist_man_MANS += %D%/vmview-frag.1
dist_man_MANS += %D%/vmview-huge.1
dist_man_MANS += %D%/vmview-json.5
dist_man_MANS += %D%/vmview-live.1
dist_man_MANS += %D%/vmview-malloc.1
dist_man_MANS += %D%/vmview-map.1
dist_man_MANS += %D%/vmview-numa.1
dist_man_MANS += %D%/vmview-options.1
dist_man_MANS += %D%/vmview-pages.1
dist_man_MANS += %D%/vmview-ps.1
dist_man_MANS += %D%/vmview-share.1
dist_man_MANS += %D%/vmview-swap.1
dist_man_MANS += %D%/vmview-system.1
dist_man_MANS += %D%/vmview-who.1
dist_man_MANS += %D%/vmview-why.1
dist_man_MANS += %D%/vmview-wss.1
dist_man_MANS += %D%/vmview.1
