package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.datasets.Example;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.WeightStorage;
import org.tokentune.text.MaskFiller;
import org.tokentune.text.MaskedLanguageModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Fills masks in texts. */
@Command(
    name = "fill",
    sortOptions = false,
    description =
        "Says which words an encoder finds most probable for each [MASK] in texts: a line each,"
            + " probability, word, text.",
    footer = {"", "Example:", "  tokentune fill \"The capital of France is [MASK].\""},
    mixinStandardHelpOptions = true)
final class FillCommand implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "NAME|PATH",
      defaultValue = "bert-base-uncased",
      description = "An encoder with its masked-language-model head; default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "5",
      description = "Words per mask; default ${DEFAULT-VALUE}.")
  private int top;

  @Mixin private AppliedAdapters adapters;
  @Mixin private InputTexts input;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    if (top < 1) {
      throw new BadSettingsException("--top must be at least 1, got %d.", top);
    }
    PrintWriter out = spec.commandLine().getOut();
    List<Example> rows = input.rows();
    ObjectNode result = JsonOption.object();
    result.put("model", model);
    ArrayNode filled = result.putArray("texts");
    try (ModelFiles files = Models.open(model);
        MaskFiller filler = filler(files)) {
      for (Example row : rows) {
        String text = row.text();
        ArrayNode masks = filled.addObject().put("text", text).putArray("masks");
        for (List<MaskFiller.Word> words : filler.fill(text, top)) {
          ArrayNode found = masks.addArray();
          for (MaskFiller.Word word : words) {
            out.printf(
                Locale.ROOT,
                "%.4f\t%s\t%s%n",
                word.probability(),
                Printable.line(word.text()),
                Printable.line(text));
            found.addObject().put("word", word.text()).put("probability", word.probability());
          }
        }
        out.flush();
      }
    }
    json.write(result);
    return 0;
  }

  private MaskFiller filler(ModelFiles files) {
    if (!adapters.areGiven()) {
      return MaskFiller.open(files);
    }
    try (MaskedLanguageModel encoder =
        MaskedLanguageModel.open(files, null, WeightStorage.FLOAT32, 0)) {
      adapters.putOn(encoder);
      return MaskFiller.of(encoder, files);
    }
  }
}
