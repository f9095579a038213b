/* Records made for these tests with a throw-away server and client: what the client sent after its
 * ChangeCipherSpec (TLS 1.0 to 1.2), or under its application traffic secret (TLS 1.3: text,
 * KeyUpdate, text under the next secret, alert; padded to 64 bytes).  In each, "one fish\n" and
 * "two fish\n". */
#ifndef TLSWIRE_TESTS_CRYPTO_VECTORS_H
#define TLSWIRE_TESTS_CRYPTO_VECTORS_H

#include "crypto/suite.h"

#define VECTOR_RECORDS 5

struct record_vector {
    const char *name;
    enum tls_version version;
    uint16_t suite;
    bool encrypt_then_mac;
    const char *client_random, *server_random;
    const char *secret; /* master secret, or CLIENT_TRAFFIC_SECRET_0 */
    const char *records[VECTOR_RECORDS];
};

/* clang-format off */
static const struct record_vector record_vectors[] = {
    {.name = "TLS 1.2 AES-GCM",
     .version = VERSION_TLS12,
     .suite = 0xc02b,
     .encrypt_then_mac = false,
     .client_random = "00cf705c9892d7414962be0dba80d855d35ceafaa026a4148df0c5fd0f031e0b",
     .server_random = "aecfe23e33bb3ff385a2256ca6bceb10ac219d6a45c09d44143f7bf7c85602fe",
     .secret = "4b0686771ee8ade3bc4f3136c43efad752651dab150a8c691f0baade0d53344ba8054cb32"
               "a5b6b3b0f1a6b75e3cea360",
     .records = {"1603030028a765b23efbca6039c876b1ae3a230a19bca37d78e6c08497f4e5b5d9455f7"
                 "81e09c734045a78d88a",
                 "1703030021a765b23efbca603a9385c916d822555f25268641dba0f5971746c720e637b"
                 "677c3",
                 "1703030021a765b23efbca603b3a5125e1734c543559524a4f75b1370b0cbde635f7d17"
                 "d3d8e"}},
    {.name = "TLS 1.2 ChaCha20",
     .version = VERSION_TLS12,
     .suite = 0xcca9,
     .encrypt_then_mac = false,
     .client_random = "48676c734b5279aab61ff67121b87a59f80123e150f35d924cfe46bf831d3e81",
     .server_random = "65d44c33dd69189a3438a9af26e97c306e8933fb26ac1df5363004274465bc8e",
     .secret = "6e3d83b162f866ebe0d194c25149ffad540371a78a6ab5f81804db99614d307783e74cd37"
               "fd1ab7c9fa960f0011dc6e5",
     .records = {"16030300207853eb34ca4cf828ad9a73255347ff1813da8f5202dd59d67a2d4e32afa9e"
                 "8c4",
                 "17030300196a6231dadbe990e03e72f22d4437bc0327efd9db4b81960317",
                 "17030300192951c9ed34909a456e7c643d120ebbea5b2a52cbf8f5c83016"}},
    {.name = "TLS 1.2 AES-CCM-8",
     .version = VERSION_TLS12,
     .suite = 0xc0af,
     .encrypt_then_mac = false,
     .client_random = "016054a6001a969edd9eda096126b838b803dd5124fd70310ccf354fbe0ecf80",
     .server_random = "828b89455db876d3dde9cb5455361195d8177e91a8902a11f1380572e6d3a3fe",
     .secret = "8fdde72ff80c053af7a099d9644620a0133315fa5a4f4677a35bcb77e767223ac31905b08"
               "4b18c5b9c8a02771734c9ad",
     .records = {"160303002000000000000000004b1f5781594c50d5393017d95156bcc33f67f7bcf1272"
                 "5b7",
                 "170303001900000000000000018371bf292d0d0d5a28794e99dbe1b435b4",
                 "1703030019000000000000000222088a55fc2d13a33756c0065a3d9a149e"}},
    {.name = "TLS 1.2 AES-CBC, MAC first",
     .version = VERSION_TLS12,
     .suite = 0xc024,
     .encrypt_then_mac = false,
     .client_random = "d83929eb3656795483480a2b80c9be2de940b559cdc82f0e688536d58381665a",
     .server_random = "b129f9b78f635ee4bd037debb9c25f3b88257022e405ccc87ccf555c7f5f8907",
     .secret = "83185ebc7836d5ce8003878798af64ccf52cc2b719def638b46ee19f738afe05421e3d776"
               "b9cdcf26b35e949b0b2ed18",
     .records = {"160303006057c19e958274c084df936df7e5924cced570b5e2d02414c7aae31fb3fd16d"
                 "c8105a06a9838254b01d1ae00af5be3f8bebf41ce2a861d4e29ace4d7943f1710ba801f"
                 "372add24708b1ca91a264b00a85c9de6eda3747ccf5480dfa5d97e5a5eb3",
                 "1703030050105a5c960207e46b0c1a1c4ea3baa27cab785342d5a0918ffff2db8a96da3"
                 "829047247503edecb301370234f06a85b0c14f0875a9a73133ad98b3b8e142f148220b1"
                 "3097d5ccda454744435453afc785",
                 "1703030050841720c1fd8d758f033a8d750c843dadbad065a894c9ba8ae1aa01fb34f64"
                 "95d36f2b2293dc85513022450f0ff30ffd70685541fa86aa750e3c934fa808f438455f6"
                 "b89e0a9b6c19669cb3aeb1ab1883"}},
    {.name = "TLS 1.2 AES-CBC, encrypt first",
     .version = VERSION_TLS12,
     .suite = 0xc023,
     .encrypt_then_mac = true,
     .client_random = "d3a1186b46fa1f7ef20ce96911e9286a9e32bc78d42974eadbb0b61b6b3ed038",
     .server_random = "3956a7da96e420307eec408286ffe864a07b119c6218889e8f218b57bfff73ff",
     .secret = "dbd5381c6f6b0b2b60a738159fcf1d91275444c62dd92c265e04f6098e63d29e32dc24344"
               "3c6a57abc56fa96c53e9876",
     .records = {"16030300502cd1b6cfc0b03e0ebdcb6a30bb4480387f4d37683f5218cfa0d95684f115e"
                 "1dcb75b9932effb8af488b2838dd2ace11907ddc59795caeccb1876e64d0ebabd297bb9"
                 "8574c2056e03e825bf94812e7ba0",
                 "1703030040f13afaa00d7b551465c70de0f58420f2fbaa41cb510e4d1613323a9a8decd"
                 "399481e36ddeb8e625c7058b9fd4f06b16d3569222418ed84563aa0c34178703de5",
                 "17030300403bb67def76b7c796960fec5917701d6a5f485b8b8baefd39156b2faa563ec"
                 "8c32bec7fb6002d3ee4896d3b5bcd6cb071b5ffc7776a6edff6ae5136b808b60f73"}},
    {.name = "TLS 1.1 AES-CBC",
     .version = VERSION_TLS11,
     .suite = 0xc009,
     .encrypt_then_mac = false,
     .client_random = "ea04e07005515e160ace5ceb2d4260eb3295da37dcc09aac90c17d90231932da",
     .server_random = "651ea57cd580ad34fbe54ce736b6596356c44159570a1ad87e3696e446a052e9",
     .secret = "f60e82e61147670504b5b2141e8da5b4416321138ac402b0e8199290c9d61aecb08ba98ed"
               "b359494baace234d5cb7aad",
     .records = {"16030200402834be336768e14f132b94826eb25c1647ebc6fd69a00b6a975e8b45604d2"
                 "3b79ab6eaddfee6be68f0df91ad1a4f25769995d6b4eb0e7e9b05a4a0136266121e",
                 "170302003043497c6051d2672c0355e1cbdd2522e8ab331d38ccb836e17f3e56d9ff7e5"
                 "282fc20995ebd78f9d3f07fd75f830f328e",
                 "1703020030a1bcb9a413777836e202fea491e500d6cf3167c55bc374afdd6526f22942e"
                 "d106d3f4c3fab5b1c9d005aacd9e5c8e5dc"}},
    {.name = "TLS 1.0 AES-CBC, chained",
     .version = VERSION_TLS10,
     .suite = 0xc00a,
     .encrypt_then_mac = false,
     .client_random = "43bd12ebd03dc5fab25e800b1fb89b5f7f60b32e887ceae2eca344186b0bff0e",
     .server_random = "ed214595d90136e59d5d8aa087b420dd12c1915475d28f07d89fc0d5c5110e6e",
     .secret = "f939d2b7d24653a064b877495a4a58a084e45449871560470dd9a009f870096ab6eab420a"
               "3fb342370a017ed5f568254",
     .records = {"160301003088ff2268e995573f6b375fda6e5507ba63aaf73429dbdba597eb49539c0d5"
                 "bcff3c86efd4ba1a9ca23e067233755741d",
                 "170301002013579a9eea380da8615f941297d79cb9355348358a6d5d3ca4854c2b6becf"
                 "0b4",
                 "1703010020a25bd7e9119937e3e473e8400e893d0325c0ed6bb4456538802e2f52292fe"
                 "e52",
                 "17030100200a314bac8eaa6d2ab2dfb4a9a2c6d3b2b77003aa720fc9a31755749148154"
                 "334",
                 "1703010020482c37353b4c0fa8b7c4c086fdf4e54ed93dc47515875c2ffac3b0ae93a4c"
                 "4cc"}},
    {.name = "TLS 1.0 AES-CBC, chained, encrypt first",
     .version = VERSION_TLS10,
     .suite = 0xc009,
     .encrypt_then_mac = true,
     .client_random = "20af8c74bf5d9d1258f98a000f55918a1dac77a6fa8605b788da9f42a0abd523",
     .server_random = "22155459a8217bbee06576cfe4f32837ec11abd7baf3e8dd9323a5df606003f7",
     .secret = "53ae89a0b890053908e72571b858177e343292c6a18768ad6d558bc088fbcf935b724a69f"
               "ec167171d20429985e5e1c7",
     .records = {"16030100343bddd66c730f17334cd7ed6905c98e5bbe129d575fb26a88f448605ce0430"
                 "5cc56720a71aee1cd372be1acf955371737dd67e00c",
                 "170301002450b4a8b294d84e0aba5775c8eb2abd8ba04fed0b6646dd3c4e716f83cbf05"
                 "07f4de30844",
                 "17030100242f6c04db401febd6a2a1443f47e5e9ff83be03c612ec61a74a7b454503beb"
                 "69d6b640142",
                 "170301002474db42dad035091f701508a4e732cba87d568a66220642eb01a00adf866c7"
                 "a37f6f086f3",
                 "1703010024b3ee1ca7186059b397b6a041f31506cc145cee22a6cec06ee461e9d0d70a4"
                 "89f1488a249"}},
    {.name = "TLS 1.2 no cipher",
     .version = VERSION_TLS12,
     .suite = 0xc006,
     .encrypt_then_mac = false,
     .client_random = "c80b7c93ce44d897f5232f0267dcd81398f8ae5173727f9a43f870c350f07c0f",
     .server_random = "480f59558641abcc18393676d7a4ca5731f67033074d95fafba46c8c0786ae77",
     .secret = "afced393a598e7b2a5cd288fe8cc54e40c28a10cd9ce8662e60ace5826dbb9d28a1efbd06"
               "76e7f02fb425a329fe87c17",
     .records = {"16030300241400000c4c54056f29ec16db3430b0f66742c715401df24b753e5e8439aad"
                 "69779c4574d",
                 "170303001d6f6e6520666973680aa36c536255354db0f7568fabb07764ba52a4cabb",
                 "170303001d74776f20666973680ad90fd8f0e56467793eaba967deb737de65fca231"}},
    {.name = "TLS 1.3 AES-GCM, padded, key update",
     .version = VERSION_TLS13,
     .suite = 0x1302,
     .encrypt_then_mac = false,
     .client_random = "feeefdfd08755c0299e91ff034bd16747a34cbaaa60172c53639401d189983e8",
     .server_random = "78f0ea6f8f3718fdb827a7d2079a1e3f1e05cdf38ec280ac2e4178d17cc07e9a",
     .secret = "b990848462e9ccfa833150583b2d39aeb6e477340499f91f0bb9ec4e6f747b323545434b5"
               "ae13d26a45fd9089a2da38b",
     .records = {"170303005070a238b8b514d1b22813fdac6c2dc0a7d45e5c326318ed18ff61d616054a0"
                 "7f8ed51848ce4270d7d51bea6dfc9f2e0661246bbbba2e76cbbca11484da57d878984c5"
                 "03abd47010e31067d0e5d2434c0f",
                 "1703030050c0688eb5ec8edda3f68584c2340f7a9a0361641d06f659aa94e5bc882a6af"
                 "9ddcaae7ed0f0eaffee61b62bd00e6c918b29fb3e2ce9e174844936f8c0556be6819a2f"
                 "068d52815bd0b430e68017fe111c",
                 "170303005080636e6291b4ee5e578e8997bcdb443c97917ca08593b7a0f77bd569b30e0"
                 "298f9f2448749c54ba76709fa185a349b1b40ac7ab0cd98f7182fd659a8064d30782483"
                 "04b300fa98d45ceb0c9bf051d2f0",
                 "1703030050abc603c9f221d4a666fb94b1df25fa99561479f3ae6944706723086acac3d"
                 "ed7c0df92aac3e85f5b0899fe4f837b44b25407f07f19e3fc807e68c29cd75e45dac591"
                 "7610b92e6277f937d64c91da966c"}},
    {.name = "TLS 1.3 ChaCha20, padded, key update",
     .version = VERSION_TLS13,
     .suite = 0x1303,
     .encrypt_then_mac = false,
     .client_random = "69c751baa4b545a7211ba32e6ed19d19a87e6a7137b2f4b5385f2696f70bb762",
     .server_random = "c11174ade6b06468317fea7186cc4a086aadfae3da534806741c97b6ded1b37c",
     .secret = "b0a3152ebc9f75dea1ef4c1a79371bd77d11d2c5c7256dad7cf1e318ebd216a8",
     .records = {"170303005016d8de5ba819e2120a5dd89586764b597c674a3964786529d0c58234582d0"
                 "79c5cdd8807d20b74d4f39bc68b3740ecaab3e1829cddbaa86c943986a9fd4994b90b60"
                 "42b2b63d8b7e8c141628b743e591",
                 "17030300503d8528b0bcbffab31461bd2974f147e829c43fd69907bad7d1c4dbeec4532"
                 "172d62f5d9267bc97fb769af216a92d8491077df4c318bd93dd5658627d932644940293"
                 "fc8b8e2a0bd633df0c039a9bf530",
                 "1703030050a52315ccb4e92183f744d7afef344c3062c74225bcfc0c262066903855b67"
                 "85c8617851a0dc7ff4edc561403928af4dd6cda5a45dfa859dcc557aedb7207d991ac67"
                 "08b60446a8d999a3cfebf0232cb4",
                 "170303005071eec781bc03655331fa032be48c215a25a392682a96a5fc5cbb31ae01f31"
                 "59bf6cf8bd7953fd75bc7d7815f6807ba3309d6b3e1b4b23abbcd372b7ffd1f1b748c2e"
                 "a5571b187c05f06ea8acf5232052"}},
    {.name = "TLS 1.3 AES-CCM, padded, key update",
     .version = VERSION_TLS13,
     .suite = 0x1304,
     .encrypt_then_mac = false,
     .client_random = "8fba6193495d684fc592f0a71397aeee662095e1c90d15f43253fd1589edb263",
     .server_random = "6bc2a31e41d05daf9e73d7106a4bc37febbfb185211dcf557463fdb9b0216f65",
     .secret = "80c5899ff6216d70f2e69c7b13f66530620e2b22621eb664a418ee3cc3155219",
     .records = {"1703030050cf942257461432301982ac467554426f59f4335a6558d27618cf6ad07ca37"
                 "2cb54aa69189de79b8debd785f4a7593fb28b6c943798da0c4a8372c6b76506a6038149"
                 "42c6dbaa67ee13bf8a0905374545",
                 "17030300501c7a202f71fb4daaaed438af2e94f0371b27aa12c6dd0a362aff98b94828d"
                 "c187eaa8289c57e34b3339656c8814c8a122cc504a580a120deac26b62a54b0b32d9534"
                 "3fa614f186d4d4ff397289af1b6a",
                 "1703030050f64798044a4d0e2f4d62fc73fe1541f618418702c4c3af4d669c60a1d52b2"
                 "8848ed5b80ff9ed9b9b9162334abc76c386f53c069e6c1a3299ff4c4511f06111085f6e"
                 "b61229b159ef71f62e015e7d4075",
                 "170303005024ad6192eb1b5a506427accd621533697bef8a75011abe1cfce9a509a8de8"
                 "c8763b7b92f09c98d1428cfdf91b84d4bc8737ed9cbdbc2cbe6d079e964dbcbc2a2f6cc"
                 "71dca4c43b529a053d02b7a802db"}},
};
/* clang-format on */

#endif
