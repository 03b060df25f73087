package org.tokentune.datasets;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;

/**
 * Records of comma-separated values (RFC 4180), one after the other, without blank lines. A quote
 * opens a field only as its first character; anywhere else it is an ordinary character. A quoted
 * field may span lines, and nothing may follow its closing quote but a comma or the end of the
 * line. Python's csv does the same in its strict mode.
 */
final class CsvRecords implements Iterator<Fields> {

  /**
   * The maximal number of characters in a field, which bounds the cost of a quote that is never
   * closed.
   */
  static final int LONGEST = 1 << 24;

  private static final int MOST_FIELDS = 1 << 14;

  private final Origin origin;
  private final Handler handler = new Handler();
  private final Iterator<Fields> records;

  /**
   * @param origin for messages
   */
  CsvRecords(Reader in, Origin origin) {
    this.origin = origin;
    records =
        CsvReader.builder()
            .allowUnclosedQuote(false)
            .maxBufferSize(LONGEST)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .build(handler, in)
            .iterator();
  }

  /**
   * Reads ahead.
   *
   * @throws BadInputException if the next record is not CSV
   */
  @Override
  public boolean hasNext() {
    try {
      return records.hasNext();
    } catch (CsvParseException e) {
      // FastCSV wraps everything that is thrown while it reads, even errors of the virtual machine.
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new BadDataException(
          e,
          "%s: %s; close the field with a quote right before a comma or the end of the line,"
              + " and double quotes that are text.",
          origin.line(handler.line),
          e.getMessage().contains("buffer")
              ? String.format(Locale.ROOT, "a field has more than %,d characters", LONGEST)
              : "a quote opens a field that nothing closes");
    }
  }

  @Override
  public Fields next() {
    return records.next();
  }

  private final class Handler extends AbstractBaseCsvCallbackHandler<Fields> {

    private final List<String> values = new ArrayList<>();
    private boolean quoted;

    /** The line on which the current field begins. */
    private int line;

    @Override
    protected void handleBegin(long first) {
      values.clear();
      quoted = false;
      line = Math.toIntExact(first);
    }

    @Override
    protected void handleField(int index, char[] text, int from, int length, boolean inQuotes) {
      if (index == MOST_FIELDS) {
        throw new BadDataException(
            "%s has more than %,d fields; correct it.", origin.line(line), MOST_FIELDS);
      }
      values.add(new String(text, from, length));
      if (inQuotes) {
        quoted = true;
        line += lineBreaks(text, from, length);
      }
    }

    private int lineBreaks(char[] text, int from, int length) {
      int breaks = 0;
      for (int i = from; i < from + length; i++) {
        boolean half = text[i] == '\r' && i + 1 < from + length && text[i + 1] == '\n';
        if (text[i] == '\n' || (text[i] == '\r' && !half)) {
          breaks++;
        }
      }
      return breaks;
    }

    /** Returns null for a line of spaces, so that it is skipped. */
    @Override
    protected Fields buildRecord() {
      boolean blank = values.size() == 1 && !quoted && values.get(0).isBlank();
      return blank ? null : new Fields((int) getStartingLineNumber(), List.copyOf(values));
    }
  }
}
