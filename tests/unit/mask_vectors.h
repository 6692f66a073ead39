// SPDX-License-Identifier: Apache-2.0
// Masks that another program made (Python: hmac, hashlib, cryptography), under the secret 00 01 …
// 1f with the id "k-test". They hold for ever: a mask that changes no longer joins with what is
// stored.
#pragma once

#include <string>
#include <vector>

#include "job/config/pipeline.h"

namespace sluice {

inline constexpr const char* kVectorKeyring =
    R"({"version":1,"current":"k-test","keys":[{"id":"k-test","created":"2026-01-01T00:00:00Z",)"
    R"("secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]})";

struct MaskVector {
  std::string domain;
  Canonical canonical;
  std::string value;
  std::string canonical_value;
  std::string hmac_sha256;
  std::string aes_siv;  // empty: there is none
  std::string sha256;   // of the value as it came
};

inline const std::vector<MaskVector> mask_vectors = {
    {"ip", Canonical::ip, "199.172.111.135", "199.172.111.135",
     "35ca4fc54b725537ebb8866a6d4ee23041b8b082ec77b78084106e3c7bb9fade",
     "k-test.SNT6iADawfyW-ybz3_NShsf9T4ndIRCPe4JI7X2kLA",
     "a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c"},
    {"ip", Canonical::ip, "::ffff:199.172.111.135", "199.172.111.135",
     "35ca4fc54b725537ebb8866a6d4ee23041b8b082ec77b78084106e3c7bb9fade",
     "k-test.SNT6iADawfyW-ybz3_NShsf9T4ndIRCPe4JI7X2kLA",
     "4dae030bfb63b514a0c14aa66abdf7e96ce3d9c96ab4016d1b3ce6b7a9923288"},
    {"ip", Canonical::ip, "2001:DB8:0:0:0:0:0:1", "2001:db8::1",
     "b68bca756a1a69d3c471615d6ae3e9964b7dd7177eb172d93b9ab768543c1a77",
     "k-test.c6RfECgmlkudAheaI-Z5_hEXGiBTkUIAvEkS",
     "ad560d00c481ad0804bf95cc5e9754f42d12b2dff61746f20f0910e107e6d1fc"},
    {"ip", Canonical::ip, "2001:db8::1", "2001:db8::1",
     "b68bca756a1a69d3c471615d6ae3e9964b7dd7177eb172d93b9ab768543c1a77",
     "k-test.c6RfECgmlkudAheaI-Z5_hEXGiBTkUIAvEkS",
     "5afd19e856d1c18d17d600dfd2b5f534992333985e126c2a951047102c1ed536"},
    {"ip", Canonical::ip, "0.0.0.0", "0.0.0.0",
     "f9bac3ea789d235d8d6836aad36bcc81859b02471eef2097323e1f825cc3dbd2",
     "k-test.DNAwkUvM2Nmkgmyfm7jb463ELJPTD0Q",
     "19e36255972107d42b8cecb77ef5622e842e8a50778a6ed8dd1ce94732daca9e"},
    {"ip", Canonical::ip, "::1", "::1",
     "677f2ecf6581aafa1bca77ee94bcdcecb3a8b24a156fe57a5ff49f2472f67bc3",
     "k-test.lfEsa6Yp-Kxf30hvocpYV3v8Pg",
     "eff8e7ca506627fe15dda5e0e512fcaad70b6d520f37cc76597fdb4f2d83a1a3"},
    {"ip", Canonical::ip, "fe80::1:0:0:1", "fe80::1:0:0:1",
     "f219ada5e5196ed4524d3c2aef0b50d018c76cac327599b815be94481e509b42",
     "k-test.WKSyIYoJ4Ha5fzLjpeyDnHcgZVDhExxXqd5_E7o",
     "c7e296034dc760f9aa802acb05530f48de0815b0a9c57e63c6a3c5464fafa009"},
    {"ip", Canonical::ip, "1:0:0:2:0:0:0:3", "1:0:0:2::3",
     "81c3335d6cbcd1119a189402757938423b05c5cb5a3b03c16307b5484fb55a20",
     "k-test.O8L5vfSyvS_a9IOkCP5J8xh8nzf85utwYlc",
     "cc313427ac2fd29e794b861bcd720097a352acacc3f2a7d3f6c2719de56a3216"},
    {"device_id", Canonical::text, "593-47-5928", "593-47-5928",
     "7689be518407f863e212dfc91d653904948a9b8bda5bcc923a349f0d5a96a521",
     "k-test.LCdX_tl7X6oZj5Bv47ycFgfmF6D8wl1y-ftp",
     "4f00c1a807b673887c7af517d0df68e6b41aecf8cbec26c71fe4c580664669ed"},
    {"device_id", Canonical::text, "  593-47-5928 ", "593-47-5928",
     "7689be518407f863e212dfc91d653904948a9b8bda5bcc923a349f0d5a96a521",
     "k-test.LCdX_tl7X6oZj5Bv47ycFgfmF6D8wl1y-ftp",
     "1b36ee1c8e33feb21e2d33ddf6ce4898dc6a40005e83d0c040a7a3521fb44dfd"},
    {"device_id", Canonical::text, "", "",
     "fbdf7792f10834a5234b2acb7fecf887c4542fc174bf7465536611745938c283", "",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"ip", Canonical::text, "199.172.111.135", "199.172.111.135",
     "35ca4fc54b725537ebb8866a6d4ee23041b8b082ec77b78084106e3c7bb9fade",
     "k-test.SNT6iADawfyW-ybz3_NShsf9T4ndIRCPe4JI7X2kLA",
     "a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c"},
    {"device_id", Canonical::text, "199.172.111.135", "199.172.111.135",
     "03d52eb89e6457207926016e06a1b7b12b962f9ea7dc227f77f6088e5c4f2498",
     "k-test.WqNrGk2fJgOciAO116sGSbUnnrGO7aL6c4nRF5JlAQ",
     "a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c"},
    {"name", Canonical::text, "Zo\xc3\xab", "Zo\xc3\xab",
     "9a98465135bd8f0b775f5db48d39bca3f2b2015f0b691ec6572596e898de0452",
     "k-test.rwOo2rdNuRO3nOP-bGA_bS0JXKw",
     "c6a12698582fc1104ea24107a2d7268145ff06ef859707729d01fd060897f067"},
    {"name", Canonical::text, "Zoe\xcc\x88", "Zo\xc3\xab",
     "9a98465135bd8f0b775f5db48d39bca3f2b2015f0b691ec6572596e898de0452",
     "k-test.rwOo2rdNuRO3nOP-bGA_bS0JXKw",
     "c106d15587c5ec6c0b5a6d6ff0da1ac753c5921fafab25e962dd81b0b3f3f50f"},
    {"name", Canonical::text, "\xf0\x9f\x98\x80 emoji", "\xf0\x9f\x98\x80 emoji",
     "2f0de778d8d11d93c9be0743eb068d5ac96616dccc3b41c6169a6044069a65bd",
     "k-test.nXKQoafBsP9_Z32Z11wA_tUh4ijw2C4KM1w",
     "c5db20e64d86b693d8e312b379cfdd211311f63f3743831e6f4139344b39d762"},
    {"name", Canonical::none, " kept ", " kept ",
     "a807dc2f75fd17c9471b955ce850249ff3fb672d22cd82b0bb4d31457b25ca4b",
     "k-test.BXKS39akL4cRoIQyfFJTLgl8x-43Yg",
     "340c8ee70fb91a1fd2e9f2232c28797fd8bd696b7b20e8fffee69be4439d012e"},
    {"mail", Canonical::email, "Jane.Doe@EXAMPLE.com", "Jane.Doe@example.com",
     "50a5fff2aba82761b9d08a7fee0a12f3cb27c0cb2c36277275ed8dc54406fa0e",
     "k-test.HvwzzdN7GtLlASnybn25bgC5RqjcTSy0dpxVN85BCw7Ldj10",
     "281faff23eb031408538532011c95f3eeb868ba0ab015915e98a7533d51a81f7"},
    {"mail", Canonical::email, "jane.doe@example.com", "jane.doe@example.com",
     "f98a341ac82284096b1fe50f9c29a38145eb3478d7b4377afdf0fc099d7b7bed",
     "k-test.Pa4x__hYE0b2bYaE1XmdF_n0pT8Mz5oeLOegU-7av-xZ4uyp",
     "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"},
    {"name", Canonical::text, "\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a\xe7\xa4\xbe",
     "\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a\xe7\xa4\xbe",
     "de32469f3499f04a20a6688aec1b58220b9fe648098ba791f12d5711e6887213",
     "k-test.ySL7WHA0mcBZLgcAFjikXHL1bWkbXDT7a_g5nw",
     "e6843c6eb529c9bf3531cf8c32c4e2ef4ab62d75929ccadd3e9812a70cd3f97c"},
    {"name", Canonical::text, std::string(1000, 'a'), std::string(1000, 'a'),
     "d7ee45b97321e3188392c6f9020b0f745d1c7d31fd4be3aa755b8822423d1a77",
     "k-test.Qi_M50i-V7jULTqk8mCGXStIKkVL6NAHo5grNltSLAppjYnIce3j4AsEPIe5N2l8yf2nHgXvO"
     "Eu-W2W9YgMMAT8_fvDtaMlUa_6jGXR4kMou8dLZcpp77Uoh7aDUOI6Z_ovmNTUlZtmISc5i45RwnVWZX"
     "ooXsRzgFlsjYBEDsW4nrpfAdOhw3bKyoEsw9kWCnBQHKNBC2zS2VCufV3HdrPa9tmuWxKw3EcOhgkzK1"
     "-UMjmXtUgWkC5hWKTOMcutl04Dgfq3gUNUxB0_eUqY06pkspz3AcMeiqAdSVvF2l1A4x4dhqhMBGL7DZ"
     "oNIFNftDwRqOiydsGOBek91v2b1-Sr2aTrhPacvEMh_y3M5F59xbaP-D7acfcVRGujuLHrqdHRVr9iAN"
     "OQ6lTYIiV4CcmWhHMupJRJQZVLfmG1_iB4jj0grQMj1x5X-0ylh4uYAKgwSRd2D_0L-rCkE6453y0saB"
     "nAPgBwY5bk_k9inZ1UlcWvbqFcJvjwjITlqO5VLfmU0_iKwxH6lGghEzmcMz-Z17XAosJqcHclZiQMmV"
     "SyS4UGiIoVBD2KGxJFsv-p8pbklM2psuH1haIcz_gmh1biN0TiGVtew4f32x7cSdFtyHMmWWGYYvPwsf"
     "BQ8OMZVyJB_bNfmRyozglS7wSMLZHa1NIghiIjGB9L51f_tTGH0giw69rAU_247P_fICchmbZEjKvPAU"
     "cw4gC3piYct4j1y5qSVQ0kXEaiuAGVtM_2BDz9DyxZqrc9l-WHY7R-cGUG2wglAYDN6m_RGooaE-0Ko-"
     "YtpU_FpYTgedbEUD-5ZCDjeLs2l1g0CxeAjmXRTWONdRAomER_4DgwE9zyEN4EdEmdEDBhVSQgVJtc5C"
     "xFvWz-3rzvI5Ey9_RYVSbgemNl-irH3fQWfcT_d3sNmOb0dvJXuQuPK954Qx6BtDXTkhSC8XPGFHMxOz"
     "ClaMslG8nr9TYt7PDy9ZNZwaQpWH9Xjg-Xj-zSs3lriRV7CXoGtzmJ86HtJEnQAvTxQMxT09mvQd6al1"
     "2r0gV-jvMCZEiOrAlmjezgHuF8kdamx1wapxJJEKS54Utn9mg7OZF2BXC3SD8jOXe9GlNN3NOjy8L4ki"
     "DKjCFLXgEt3kb-V4qIdvWv_Y2kK2SnU-mnANFh7vqCa1yMNCYUc1XgJxo1W_QImpUoZro71yTaKgd2CI"
     "VSIXh6hUFPkmfvHV5YKcnQgmg9Sf0KW5N_EYCmnNMYq38JCcFojFgH8A8yZkI2kZiHoA7bU0VAADty5D"
     "9Zmj9iGTaSRBNMt1UHG9cQEz2Qa01_NPHbSfNqufTW5bai1sXHXVuRbM7h0RvD0lbF-WaWkerIfrBBTK"
     "hA",
     "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"},
};

struct RefusedValue {
  Canonical canonical;
  std::string value;
};

inline const std::vector<RefusedValue> refused_values = {
    {Canonical::ip, "001.2.3.4"},
    {Canonical::ip, "1.2.3"},
    {Canonical::ip, "1.2.3.4.5"},
    {Canonical::ip, "256.1.1.1"},
    {Canonical::ip, ""},
    {Canonical::ip, "2001:db8:::1"},
    {Canonical::ip, "fe80::1%eth0"},
    {Canonical::email, "no-at-sign"},
};

}  // namespace sluice
