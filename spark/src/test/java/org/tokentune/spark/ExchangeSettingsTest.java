package org.tokentune.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.spark.SparkConf;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.netty.SparkTransportConf;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.spark.ExchangeMessage.Kind;
import scala.Option;

/**
 * An exchange of tasks where Spark authenticates and encrypts, and soon takes connections for dead.
 */
class ExchangeSettingsTest {

  private static SparkSession spark;
  private static int port;

  @BeforeAll
  static void start() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.authenticate", true)
            .config("spark.network.crypto.enabled", true)
            .config("spark.network.timeout", "2s")
            .config("spark.network.timeoutInterval", "1s")
            .config("spark.executor.heartbeatInterval", "1s")
            .config("spark.tokentune.port", port)
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static float sum(Meeting meeting, int rank, int seconds) throws Exception {
    try (Peers peers = ExchangeTest.meet(meeting, rank)) {
      peers.sum(0, ExchangeTest.gradients(rank, 2, 0));
      Thread.sleep(1000L * seconds);
      Map<String, INDArray> sums = peers.sum(1, ExchangeTest.gradients(rank, 2, 1));
      peers.end();
      return sums.get("a").getFloat(0);
    }
  }

  /** The other task waits for twice spark.network.timeout. */
  @Test
  void waitsForASlowTask() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (Meeting meeting = new Meeting(ExchangeTest.ATTEMPT, 2, 20)) {
      assertEquals(port, meeting.place().port());
      Future<Float> quick = threads.submit(() -> sum(meeting, 0, 0));
      float slow = sum(meeting, 1, 4);
      float expected =
          ExchangeTest.gradients(0, 2, 1).get("a").getFloat(0)
              + ExchangeTest.gradients(1, 2, 1).get("a").getFloat(0);
      assertArrayEquals(new float[] {expected, expected}, new float[] {slow, quick.get()});
      assertNull(meeting.failure());
    } finally {
      threads.shutdownNow();
    }
  }

  /** It knows the run, but not Spark's secret. */
  @Test
  void refusesWhoeverDoesNotKnowTheSecret() throws Exception {
    SparkConf conf = spark.sparkContext().getConf();
    try (Meeting meeting = new Meeting(ExchangeTest.ATTEMPT, 2, 20);
        TransportContext context =
            new TransportContext(
                SparkTransportConf.fromSparkConf(conf, "test", 1, Option.empty(), Option.empty()),
                new NoOpRpcHandler());
        TransportClientFactory clients = context.createClientFactory()) {
      TransportClient client = clients.createClient(meeting.place().host(), meeting.place().port());
      RuntimeException e =
          assertThrows(
              RuntimeException.class,
              () ->
                  client.sendRpcSync(
                      ExchangeTest.message(Kind.BEGIN, JarVersion.own(), ExchangeTest.ATTEMPT, 0),
                      5_000));
      System.out.println(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
      assertEquals(0, meeting.arrived());
    }
  }
}
