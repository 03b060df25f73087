package org.tokentune.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.export.GgufAdapter;
import org.tokentune.export.GgufExport;
import org.tokentune.export.GgufType;
import org.tokentune.formats.ModelFiles;

/** A format that {@code export} writes. */
enum ExportFormat {
  GGUF {
    @Override
    List<String> export(ModelFiles files, Request request) {
      GgufType type = request.type(GgufType.values());
      return request.adapter() == null
          ? GgufExport.model(files, type, request.output())
          : GgufAdapter.write(files, request.adapter(), type, request.output());
    }
  };

  /**
   * What is asked for.
   *
   * @param type how weights are stored; null: the format's default
   * @param adapter write these adapters instead of the model; null: the model
   */
  record Request(String type, Path adapter, Path output) {

    /**
     * The type asked for; the first if none is.
     *
     * @param types that a format has
     */
    <T> T type(T[] types) {
      return Arrays.stream(types)
          .filter(one -> type == null || one.toString().equalsIgnoreCase(type))
          .findFirst()
          .orElseThrow(
              () ->
                  BadSettingsException.of(
                      "type", "must be one of %s, got %s.", Arrays.toString(types), type));
    }
  }

  /** Writes the file and returns lines that say what is in it. */
  abstract List<String> export(ModelFiles files, Request request);

  /** The word on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
