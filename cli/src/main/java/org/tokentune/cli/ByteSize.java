package org.tokentune.cli;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses numbers of bytes: {@code 60MB}, {@code 1.5GB}; units are powers of 1000. */
final class ByteSize implements ITypeConverter<Long> {

  private static final Pattern SIZE = Pattern.compile("([0-9]+(?:[.][0-9]+)?) ?([kKMG]?)B");
  private static final Map<String, Double> UNITS =
      Map.of("", 1.0, "k", 1e3, "K", 1e3, "M", 1e6, "G", 1e9);

  @Override
  public Long convert(String value) {
    Matcher matcher = SIZE.matcher(value.strip());
    if (!matcher.matches()) {
      throw new TypeConversionException("'" + value + "' is not a size such as 60MB or 1.5GB");
    }
    long bytes = Math.round(Double.parseDouble(matcher.group(1)) * UNITS.get(matcher.group(2)));
    if (bytes < 1) {
      throw new TypeConversionException(
          "'" + value + "' is less than a byte; give a size such as 60MB");
    }
    return bytes;
  }
}
