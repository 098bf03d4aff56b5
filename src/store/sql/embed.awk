# Turns NNN_name.sql files into the C table declared in store/sql_files.h. A first line "-- min_reader: N" gives that column.
function finish() {
	if (FILENAME_SEEN)
		print "\t},"
}
BEGIN {
	print "#include \"store/sql_files.h\"\n\nconst struct sql_file sql_files[] = {"
}
FNR == 1 {
	finish()
	FILENAME_SEEN = 1
	base = FILENAME
	sub(/.*\//, "", base)
	sub(/\.sql$/, "", base)
	min_reader = $1 == "--" && $2 == "min_reader:" ? $3 + 0 : 0
	printf "\t{%d, %d, \"%s\",\n", substr(base, 1, 3), min_reader, substr(base, 5)
}
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	printf "\t    \"%s\\n\"\n", $0
}
END {
	finish()
	print "\t{0, 0, NULL, NULL},\n};"
}
