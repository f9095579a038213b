# Completion for bash.  Options, their values, and fields are the ones that the program itself lists.

_tlswire_options() {
    "$1" ${2:+"$2"} --help 2>/dev/null </dev/null |
        grep -oE '^  -[^ ,]+|, --[a-z-]+' | tr -d ' ,'
}

_tlswire_fields() {
    "$1" -G fields 2>/dev/null </dev/null | awk -F '\t' -v kinds="$2" 'index(kinds, $1) { print $3 }' | sort -u
}

_tlswire() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' words='' kind=-W
    COMPREPLY=()
    case ${COMP_WORDS[1]} in
    lab | serve | connect | run | read) ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]} ;;
    esac
    case $command:$before in
    *:-cert | *:-key | *:-CAfile | *:-keylogfile | :-r | :-w | :--read-file | :--export-tls-session-keys) kind=-f ;;
    read:read | read:--hex | read:--raw-records) kind=-f ;;
    :ca) words='show path new issue' ;;
    *:-dir | *:-CApath) kind=-d ;;
    *:-view | *:--view) words='ladder summary tcp hex verbose' ;;
    *:-break | *:--break) words="list $("$program" serve --break list 2>/dev/null </dev/null | sed -n 's/^  \([^ ]*\) .*/\1/p')" ;;
    *:-color) words='auto always never' ;;
    *:-min_protocol | *:-max_protocol) words='TLSv1 TLSv1.1 TLSv1.2 TLSv1.3' ;;
    :-T) words='text tabs fields psml pdml json jsonl jsonraw ek' ;;
    :-F) words='pcapng pcap nsecpcap modpcap nokiapcap rh6_1pcap suse6_3pcap' ;;
    :-t) words='a ad adoy d dd e r u ud udoy' ;;
    :-u) words='s hms' ;;
    :-G) words='fields protocols values' ;;
    :-E) words='header=y separator= occurrence=a aggregator= quote=n bom=n' ;;
    :-d) words='tcp.port==4433,tls' ;;
    :-o) words='tls.keylog_file: tls.keys_list: tls.psk: tlswire.psk: tlswire.psk_file: tlswire.key_password_file: uat:rsa_keys:' ;;
    :-i | :--interface) words=$("$program" -D 2>/dev/null </dev/null | awk '{ print $2 }') ;;
    :-O) words=$(_tlswire_fields "$program" P) ;;
    :-e | :-Y | :--display-filter) words=$(_tlswire_fields "$program" PF) ;;
    *)
        words=$(_tlswire_options "$program" "$command")
        ((COMP_CWORD == 1)) && words="lab serve connect run read keys ca $words"
        ;;
    esac
    while IFS= read -r; do
        COMPREPLY+=("$REPLY")
    done < <(compgen $kind ${words:+"$words"} -- "$word")
}

complete -F _tlswire tlswire
