# bash completion of acmsensor. The program knows the candidates: commands, options, and what a
# running daemon knows (connectors, accounts, regions, ARNs). Without one there are fewer.
_acmsensor()
{
	local line=${COMP_LINE:0:COMP_POINT} word candidate
	local -a words candidates
	# Not COMP_WORDS: bash breaks words at ':' and '=', which ARNs and options have inside.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
	word=${words[-1]}
	mapfile -t candidates < <(acmsensor complete "${words[@]:1}" 2>/dev/null)
	COMPREPLY=()
	if [[ ${candidates[0]} == :files ]]; then
		compopt -o default
		return
	fi
	# bash replaces only what stands behind its last break, so the rest is not offered again.
	local kept=
	[[ $word == *[:=]* ]] && kept=${word%"${word##*[:=]}"}
	for candidate in "${candidates[@]}"; do
		candidate=${candidate%%$'\t'*}
		COMPREPLY+=("$(printf %q "${candidate#"$kept"}")")
	done
}
complete -F _acmsensor acmsensor
