"""Pure text work: matching, lines and blocks, unwrapping, templates, redaction, rendering."""
