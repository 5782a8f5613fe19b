// Program shipping measures, for `make bench`, how many lines per second of processor time orch's stdout ingest ships, side by
// side with the file_log receiver of the OpenTelemetry Collector: the same files, the same receiving Collector, the same
// guarantee (offsets on disk), no compression on either side, since all is on one host. Both are processes of this host, so
// that processor time and peak memory are the kernel's own figures. It takes the Collector's binary out of its image.
package main
