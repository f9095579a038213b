tlswire(1)

# NAME

tlswire - run, capture, read, decrypt and explain TLS
