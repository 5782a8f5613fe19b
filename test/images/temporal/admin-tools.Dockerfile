# Temporal's schema tool, built from source, in the shape of the upstream image
# temporalio/admin-tools: same user, working directory and paths. Of the other tools only a
# `temporal` is there, which knows just the two commands that deploy/temporal uses (cli/).
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY passwd group /etc/
COPY tmp /tmp
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The schema tool is linked statically: the C library's resolver would need its plugins.
ENV GODEBUG=netdns=go
WORKDIR /etc/temporal
USER temporal
CMD ["sh", "-c", "trap exit INT HUP TERM; sleep infinity"]
COPY temporal /usr/local/bin/temporal
COPY temporal-sql-tool /usr/local/bin/temporal-sql-tool
