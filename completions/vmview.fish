# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of vmview for fish. What there is to choose from is asked of the program's own help, so
# no command, option or column is listed here; only values that options may have.

# NAME<tab>DESCRIPTION, as fish takes them.
function __vmview_commands
	vmview --help 2>/dev/null |
		string match -rg '^  ([a-z]+ +.*)$' | string replace -r ' +' \t
end

function __vmview_command
	set -l names (__vmview_commands | string split -f1 \t)
	for word in (commandline -opc)[2..]
		if contains -- $word $names
			echo $word
			return
		end
	end
	return 1
end

function __vmview_command_or_map
	__vmview_command; or echo map
end

function __vmview_options
	begin
		vmview (__vmview_command_or_map) --help
		vmview help options
	end 2>/dev/null |
		string match -rg '^ +(?:-., )?(--[a-z-]+=?)\S* *(.*)$' | while read -l name
		read -l what
		printf '%s\t%s\n' $name $what
	end
end

function __vmview_columns
	vmview (__vmview_command_or_map) --columns=help 2>/dev/null |
		string match -rg '^[* ] ([a-z][a-z0-9_.]* +[a-z]+ +.*)$' |
		string replace -r '^(\S+) +\S+ +' '$1\t'
end

function __vmview_values
	switch (__vmview_command_or_map)
		case system
			printf '%s\n' cgroup process file
		case allocs
			printf '%s\n' process command caller order type
		case '*'
			printf '%s\n' program user cgroup tree
	end
end

complete -c vmview -f
complete -c vmview -n 'not __vmview_command' -a '(__vmview_commands)'
complete -c vmview -n 'not __vmview_command' -a help -d 'the options of a command'
complete -c vmview -n 'string match -q -- "-*" (commandline -ct)' -a '(__vmview_options)'
complete -c vmview -n 'not contains -- (__vmview_command_or_map) cache who record diff' -a '(__fish_complete_pids)'
complete -c vmview -n 'contains -- (__vmview_command_or_map) cache who record diff' -F
complete -c vmview -s o -l columns -x -a '(__vmview_columns)'
complete -c vmview -l sort -x -a '(__vmview_columns)'
complete -c vmview -l by -x -a '(__vmview_values)'
complete -c vmview -l color -x -a 'auto always never'
complete -c vmview -l from -x -a 'smaps pages auto'
complete -c vmview -l pace -x -a 'gentle fast'
complete -c vmview -s u -l user -x -a '(__fish_complete_users)'
complete -c vmview -l root -x -a '(__fish_complete_directories)'
complete -c vmview -l core -r -F
