package org.tokentune.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.formats.ModelFiles;

/** A format that {@code export} writes. */
enum ExportFormat {
  GGUF {
    @Override
    List<String> export(ModelFiles files, Request request) {
      throw new BadSettingsException("--to gguf is not there yet.");
    }
  };

  /**
   * What is asked for.
   *
   * @param type how weights are stored; null: the format's default
   * @param adapter write these adapters instead of the model; null: the model
   */
  record Request(String type, Path adapter, Path output) {}

  /** Writes the file and returns lines that say what is in it. */
  abstract List<String> export(ModelFiles files, Request request);

  /** The word on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
