package org.tokentune.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tokentune.testing.SameBits.assertSameBits;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.eclipse.deeplearning4j.omnihub.OmniHubUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.EncoderConfig;
import org.tokentune.models.GraphOptions;
import org.tokentune.models.Head;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.StepInputs;

class OmniHubTest {

  private static final String HOME = "user.home";

  @TempDir private Path folder;
  private String home;

  @BeforeEach
  void moveHome() {
    home = System.setProperty(HOME, folder.toString());
  }

  @AfterEach
  void putHomeBack() {
    System.setProperty(HOME, home);
  }

  @Test
  void omniHubItselfLoadsWhatWasPut() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    SameDiff graph = graph();
    graph.save(model.resolve("model.fb").toFile(), false);
    Path file = OmniHub.put(model, "small-bert");
    assertEquals(folder.resolve(".omnihub/samediff/small-bert.fb"), file);
    OmniHub.put(model, "small-bert"); // replaces
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertEquals(1, files.count());
    }

    SameDiff loaded = OmniHubUtils.loadSameDiffModel("small-bert.fb");
    Map<String, INDArray> inputs = StepInputs.features(TestEncoder.batch(1));
    assertSameBits(
        graph.output(inputs, ModelGraph.LOGITS), loaded.output(inputs, ModelGraph.LOGITS));
  }

  private static SameDiff graph() {
    try (ModelFiles files = TestEncoder.golden(0)) {
      TransformerModel model =
          EncoderConfig.read(files.config(), files.name())
              .model(new Head(Objectives.CLASSIFY, TestEncoder.CLASSES, Pooling.FIRST));
      return model
          .build(ParameterLoader.load(model, files.weights()), GraphOptions.inference())
          .sd();
    }
  }

  @Test
  void refusesNamesAndFoldersThatAreNone() {
    for (String name : new String[] {"../x", "", "a/b", ".x"}) {
      assertThrows(BadInputException.class, () -> OmniHub.file(name));
    }
    String message =
        assertThrows(BadInputException.class, () -> OmniHub.put(folder, "x")).getMessage();
    assertTrue(message.contains("has no model.fb"), message);
  }
}
