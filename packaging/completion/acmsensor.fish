# fish completion of acmsensor. The program knows the candidates: commands, options, and what a
# running daemon knows (connectors, accounts, regions, ARNs). Without one there are fewer.
function __acmsensor_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates (acmsensor complete $words[2..-1] 2>/dev/null)
    if test "$candidates[1]" = :files
        __fish_complete_path (string replace -r '^--[^=]*=' '' -- $words[-1])
    else
        printf '%s\n' $candidates
    end
end
complete -c acmsensor -f -a '(__acmsensor_complete)'
