package org.tokentune.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A norm, or {@code none} for an infinite one. */
final class Clip implements ITypeConverter<Double> {

  @Override
  public Double convert(String value) {
    if (value.equals("none")) {
      return Double.POSITIVE_INFINITY;
    }
    try {
      return Double.valueOf(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + value + "' is neither a number nor none");
    }
  }
}
