# SPDX-License-Identifier: GPL-2.0-or-later
#
# One page a line, sorted. A page with lists of columns is made: the program's tables tell them. The
# tarball has it, so who builds from that needs neither python nor to run the program first.
dist_man_MANS =
MADE_MANS =
dist_man_MANS += %D%/vmview-json.5
dist_man_MANS += %D%/vmview-options.1
dist_man_MANS += %D%/vmview.1
MADE_MANS += %D%/vmview-allocs.1
MADE_MANS += %D%/vmview-at.1
MADE_MANS += %D%/vmview-cache.1
MADE_MANS += %D%/vmview-cgroup.1
MADE_MANS += %D%/vmview-cow.1
MADE_MANS += %D%/vmview-diff.1
MADE_MANS += %D%/vmview-elf.1
MADE_MANS += %D%/vmview-faults.1
MADE_MANS += %D%/vmview-frag.1
MADE_MANS += %D%/vmview-huge.1
MADE_MANS += %D%/vmview-live.1
MADE_MANS += %D%/vmview-malloc.1
MADE_MANS += %D%/vmview-map.1
MADE_MANS += %D%/vmview-numa.1
MADE_MANS += %D%/vmview-pages.1
MADE_MANS += %D%/vmview-ps.1
MADE_MANS += %D%/vmview-record.1
MADE_MANS += %D%/vmview-share.1
MADE_MANS += %D%/vmview-swap.1
MADE_MANS += %D%/vmview-system.1
MADE_MANS += %D%/vmview-who.1
MADE_MANS += %D%/vmview-why.1
MADE_MANS += %D%/vmview-wss.1

dist_man_MANS += $(MADE_MANS)
EXTRA_DIST += $(MADE_MANS:=.in) %D%/made
CLEANFILES += $(MADE_MANS) %D%/made
$(MADE_MANS): %D%/made ;
%D%/made: $(MADE_MANS:=.in) $(srcdir)/tools/man-page $(srcdir)/tools/tables.py \
		$(libvmview_a_SOURCES) | vmview-tables$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%
	$(AM_V_at)$(PYTHON3) $(srcdir)/tools/man-page ./vmview-tables$(EXEEXT) %D% \
		$(MADE_MANS:%=$(srcdir)/%.in)
	$(AM_V_at)echo >$@
