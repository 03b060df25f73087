package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.tokentune.BadDataException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.TextBlocks;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.WeightStorage;
import org.tokentune.objectives.Objectives;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenSelector;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.TextModel;
import org.tokentune.text.TuningSettings;
import org.tokentune.train.SelectionComparison;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares gradients through selected tokens with those through all. */
@Command(
    name = "select",
    sortOptions = false,
    description = {
      "Compares the gradients of a trained model through selected tokens with those through all, layer",
      "by layer, on your own rows: their cosine, and their norm relative to the full gradient's, of one",
      "draw of tokens and of the mean of all draws, which shows a bias. Trains nothing."
    },
    footer = {
      "",
      "Examples:",
      "  tokentune select --compare --model stars --data reviews.csv --text review --label stars",
      "  tokentune select --compare --model smollm2-135m --data text.txt --tokens 25%%,span:25%%"
    },
    mixinStandardHelpOptions = true)
final class SelectCommand implements Callable<Integer> {

  @Option(names = "--compare", description = "Compare gradients, layer by layer.")
  private boolean compare;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Folder of a trained encoder with its head, or a decoder as train takes it.")
  private String model;

  @Option(
      names = "--data",
      paramLabel = "NAME|FILE|TASK=DIR",
      required = true,
      description = "Labelled rows, as evaluate takes them; of a decoder plain text.")
  private String data;

  @Mixin private DataOptions dataOptions;

  @Option(
      names = "--tokens",
      paramLabel = "25%|32|span:25%[,...]",
      split = ",",
      hideParamSyntax = true,
      defaultValue = "25%,span:25%,50%",
      description = "Selections, as train --tokens has them; default ${DEFAULT-VALUE}.")
  private List<String> tokens;

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      description = "The least number of tokens if a share is given; default ${DEFAULT-VALUE}.")
  private int minTokens = TuningSettings.defaults().minTokens();

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "32",
      description = "Rows of a batch; default ${DEFAULT-VALUE}.")
  private int batchSize;

  @Option(
      names = "--batches",
      paramLabel = "N",
      defaultValue = "2",
      description = "Batches, of rows drawn by the seed; default ${DEFAULT-VALUE}.")
  private int batches;

  @Option(
      names = "--draws",
      paramLabel = "N",
      defaultValue = "20",
      description = "Draws of tokens for each batch; default ${DEFAULT-VALUE}.")
  private int draws;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of a block of plain text; default ${DEFAULT-VALUE}.")
  private int maxLength;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Seed of the rows and of the draws; default ${DEFAULT-VALUE}.")
  private long seed;

  @Mixin private JsonOption json;

  @Spec private CommandSpec spec;

  /** Compares a selection. */
  @FunctionalInterface
  private interface Comparing {
    SelectionComparison of(TokenSelector selector);
  }

  @Override
  public Integer call() {
    json.check();
    if (!compare) {
      throw new BadSettingsException("Say what select is to do: give --compare.");
    }
    if (batchSize < 1 || batches < 1 || draws < 1) {
      throw new BadSettingsException(
          "--batch-size, --batches and --draws must be at least 1, got %d, %d and %d.",
          batchSize, batches, draws);
    }
    try (ModelFiles files = Models.open(model)) {
      if (ModelConfig.read(files.config(), files.name()).causal()) {
        try (LanguageModel decoder = LanguageModel.open(files, 0.0, WeightStorage.FLOAT32)) {
          List<TokenBatches.Row> rows =
              drawn(
                  TextBlocks.rows(
                      dataOptions.path(data),
                      dataOptions.columns(),
                      decoder.tokenizer(),
                      maxLength));
          print(false, selector -> decoder.compare(rows, selector, batchSize, draws, seed));
        }
      } else {
        try (TextModel encoder = TextModel.open(files)) {
          if (encoder.labels().task() == Objectives.QUESTION_ANSWERING) {
            throw new BadSettingsException(
                "%s answers questions, which select does not compare; name a classifier or a decoder.",
                model);
          }
          List<Example> rows = dataOptions.test(data);
          encoder.labels().check(rows, data);
          List<Example> some = drawn(rows);
          boolean first = !encoder.labels().task().perToken();
          print(first, selector -> encoder.compare(some, selector, batchSize, draws, seed));
        }
      }
    }
    return 0;
  }

  private <R> List<R> drawn(List<R> rows) {
    if (rows.isEmpty()) {
      throw new BadDataException("%s has no rows; give some.", Path.of(data));
    }
    List<R> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(seed));
    return shuffled.subList(0, Math.min(shuffled.size(), batchSize * batches));
  }

  private void print(boolean first, Comparing comparing) {
    PrintWriter out = spec.commandLine().getOut();
    ObjectNode result = JsonOption.object();
    result.put("model", model).put("data", DataOptions.shown(data)).put("draws", draws);
    ArrayNode selections = result.putArray("selections");
    for (String one : tokens) {
      SelectionComparison compared = comparing.of(RandomTokens.parse(one, minTokens, first));
      out.printf(
          Locale.ROOT,
          "%s of the tokens, at least %d%n%-34s %16s %18s%n%-34s %8s %7s %10s %7s%n",
          one,
          minTokens,
          "",
          "one draw",
          "mean of " + draws,
          "layer",
          "cosine",
          "norm",
          "cosine",
          "norm");
      ObjectNode selection = selections.addObject();
      selection.put("tokens", one).put("min_tokens", minTokens);
      ArrayNode layers = selection.putArray("layers");
      for (SelectionComparison.Layer layer : compared.layers()) {
        out.printf(
            Locale.ROOT,
            "%-34s %8.2f %7.2f %10.2f %7.2f%n",
            layer.name(),
            layer.cosine(),
            layer.norm(),
            layer.meanCosine(),
            layer.meanNorm());
        layers
            .addObject()
            .put("layer", layer.name())
            .put("cosine", layer.cosine())
            .put("norm", layer.norm())
            .put("mean_cosine", layer.meanCosine())
            .put("mean_norm", layer.meanNorm());
      }
      out.println();
      out.flush();
    }
    json.write(result);
  }
}
