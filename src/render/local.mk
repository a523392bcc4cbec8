# SPDX-License-Identifier: GPL-2.0-or-later
#
# One module a line, sorted: libvmview_a_SOURCES += %D%/NAME.c %D%/NAME.h
libvmview_a_SOURCES += %D%/cell.c
libvmview_a_SOURCES += %D%/csv.c
libvmview_a_SOURCES += %D%/document.h
libvmview_a_SOURCES += %D%/format.h
libvmview_a_SOURCES += %D%/html.c
libvmview_a_SOURCES += %D%/json.c
libvmview_a_SOURCES += %D%/json_row.c %D%/json_row.h
libvmview_a_SOURCES += %D%/json_value.c %D%/json_value.h
libvmview_a_SOURCES += %D%/metric_sources.c %D%/metric_sources.h
libvmview_a_SOURCES += %D%/metric_sums.c %D%/metric_sums.h
libvmview_a_SOURCES += %D%/openmetrics.c
libvmview_a_SOURCES += %D%/picture.c %D%/picture.h
libvmview_a_SOURCES += %D%/report.c %D%/report.h
libvmview_a_SOURCES += %D%/schema_text.h
libvmview_a_SOURCES += %D%/table.c
libvmview_a_SOURCES += %D%/table_fit.c %D%/table_fit.h
libvmview_a_SOURCES += %D%/table_line.c %D%/table_line.h
libvmview_a_SOURCES += %D%/table_rest.c %D%/table_rest.h
libvmview_a_SOURCES += %D%/table_stream.c %D%/table_stream.h
libvmview_a_SOURCES += %D%/viewer_text.h

nodist_libtexts_a_SOURCES += %D%/schema_text.c
CLEANFILES += %D%/schema_text.c
%D%/schema_text.c: share/vmview.schema.json
	$(AM_V_GEN)$(MKDIR_P) %D%
	$(AM_V_at){ echo '#include "render/schema_text.h"'; echo; echo 'const char schema_text[] ='; \
		$(SED) 's/[\\"]/\\&/g; s/^/	"/; s/$$/\\n"/' $<; \
		echo '	;'; } >$@.new
	$(AM_V_at)mv $@.new $@

# The viewer, cut where the document goes: behind the line that opens its script.
nodist_libtexts_a_SOURCES += %D%/viewer_text.c
CLEANFILES += %D%/viewer_text.c
%D%/viewer_text.c: share/html/viewer.html
	$(AM_V_GEN)$(MKDIR_P) %D%
	$(AM_V_at)quote='s/[\\"?]/\\&/g; s/^/	"/; s/$$/\\n"/'; \
		slot='/id="vmview-document">$$/'; { \
		echo '#include "render/viewer_text.h"'; \
		echo; echo 'const char viewer_head[] ='; \
		$(SED) -n "1,$$slot p" $< | $(SED) "$$quote"; echo '	;'; \
		echo; echo 'const char viewer_tail[] ='; \
		$(SED) "1,$$slot d" $< | $(SED) "$$quote"; echo '	;'; } >$@.new
	$(AM_V_at)mv $@.new $@
