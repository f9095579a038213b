# Completion for fish.  Options and their texts are the ones that the program itself lists.

function __tlswire_options
    set -l words (commandline -opc)
    set -l command
    if test (count $words) -gt 1; and contains -- $words[2] lab serve connect run read keys
        set command $words[2]
    end
    $words[1] $command --help 2>/dev/null </dev/null | string replace -rf '^  (-[^ ,]+).*?(?:  +(.*))?$' '$1\t$2'
end

function __tlswire_after
    contains -- (commandline -opc)[-1] $argv
end

function __tlswire_fields
    tlswire -G fields 2>/dev/null </dev/null | string replace -rf '^[PF]\t([^\t]*)\t([^\t]*).*' '$2\t$1'
end

complete -c tlswire -f
complete -c tlswire -n '__fish_is_first_arg' -a 'lab serve connect run read keys ca'
complete -c tlswire -n '__tlswire_after ca' -a 'show path new issue'
complete -c tlswire -n 'string match -q -- "-*" (commandline -ct)' -a '(__tlswire_options)'
complete -c tlswire -n '__tlswire_after read --hex --raw-records -r -w --read-file --export-tls-session-keys -cert -key -CAfile -keylogfile' -F
complete -c tlswire -n '__tlswire_after keys' -a 'match inject strip'
complete -c tlswire -n '__tlswire_after match inject strip' -F
complete -c tlswire -n '__tlswire_after -view --view' -a 'ladder summary tcp hex verbose'
complete -c tlswire -n '__tlswire_after -break --break' -a '(tlswire serve --break list 2>/dev/null | string match -rg "^  (\S+)")'
complete -c tlswire -n '__tlswire_after -color' -a 'auto always never'
complete -c tlswire -n '__tlswire_after -T' -a 'text tabs fields psml pdml json jsonl jsonraw ek'
complete -c tlswire -n '__tlswire_after -F' -a 'pcapng pcap nsecpcap'
complete -c tlswire -n '__tlswire_after -t' -a 'a ad adoy d dd e r u ud udoy'
complete -c tlswire -n '__tlswire_after -G' -a 'fields protocols values'
complete -c tlswire -n '__tlswire_after -e -Y -O' -a '(__tlswire_fields)'
