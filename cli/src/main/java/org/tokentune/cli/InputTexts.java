package org.tokentune.cli;

import java.util.List;
import org.tokentune.datasets.Example;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Texts on the command line or in a file. */
final class InputTexts {

  @ArgGroup(multiplicity = "1")
  private Source source;

  @Mixin private DataOptions dataOptions;

  private static final class Source {
    @Parameters(paramLabel = "TEXT", arity = "1..*", description = "Texts.")
    private List<String> texts;

    @Option(
        names = "--input",
        paramLabel = "FILE",
        description = {
          "A .csv, .tsv, .jsonl or .parquet file of texts, or other data as train takes it; labels are not",
          "needed."
        })
    private String file;
  }

  void query(String sql) {
    dataOptions.query(sql);
  }

  List<Example> rows() {
    return source.file == null
        ? source.texts.stream().map(text -> new Example(text, null)).toList()
        : dataOptions.unlabelled(source.file);
  }
}
