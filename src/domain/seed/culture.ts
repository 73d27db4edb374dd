/** Where a made-up person is from. Names that ASCII cannot carry in an address say how they are written in one: `Иван=ivan`. */
export type Culture = Readonly<{
  locale: string
  zoneinfo: string
  country: string
  city: string
  given: readonly string[]
  family: readonly string[]
  /** Whether the family name comes first and nothing stands between, as in 王芳. */
  familyFirst?: boolean
}>

/** Several scripts, name orders and accents, so that a list of made-up people shows what real ones would. */
export const cultures: readonly Culture[] = [
  {
    locale: 'en-US',
    zoneinfo: 'America/Chicago',
    country: 'US',
    city: 'Chicago',
    given: words('James Mary Robert Patricia Michael Jennifer William Elizabeth Shanice DeShawn'),
    family: words("Smith Johnson Williams Brown Jones Garcia Miller Davis O'Connor Nguyen"),
  },
  {
    locale: 'de-DE',
    zoneinfo: 'Europe/Berlin',
    country: 'DE',
    city: 'München',
    given: words('Anna Jürgen Sabine Björn Käthe Lukas Mia Günther'),
    family: words('Müller Schmidt Weiß Schröder Krüger Bauer Jäger Vogel'),
  },
  {
    locale: 'fr-FR',
    zoneinfo: 'Europe/Paris',
    country: 'FR',
    city: 'Orléans',
    given: words('Élodie François Chloé Jean-Luc Zoé Théo Inès Aurélie'),
    family: words('Martin Lefèvre Dubois Moreau Garçon Bérenger Rousseau Noël'),
  },
  {
    locale: 'es-MX',
    zoneinfo: 'America/Mexico_City',
    country: 'MX',
    city: 'Querétaro',
    given: words('José María Lucía Ángel Guadalupe Íñigo Sofía Ramón'),
    family: words('Hernández López Muñoz Ibáñez Peña Guzmán Ríos Núñez'),
  },
  {
    locale: 'tr-TR',
    zoneinfo: 'Europe/Istanbul',
    country: 'TR',
    city: 'İstanbul',
    given: words('Ayşe Çağlar İpek=ipek Işık=isik Ömer Şule Deniz Yağmur'),
    family: words('Yılmaz=yilmaz Çelik Öztürk Şahin Aydın=aydin Doğan Kılıç=kilic Güneş'),
  },
  {
    locale: 'ru-RU',
    zoneinfo: 'Europe/Moscow',
    country: 'RU',
    city: 'Казань',
    given: words('Иван=ivan Мария=maria Ольга=olga Сергей=sergey Наталья=natalya Дмитрий=dmitry Алёна=alyona Юрий=yuri'),
    family: words('Иванов=ivanov Кузнецов=kuznetsov Попов=popov Соколов=sokolov Морозов=morozov Волков=volkov'),
  },
  {
    locale: 'ar-EG',
    zoneinfo: 'Africa/Cairo',
    country: 'EG',
    city: 'القاهرة',
    given: words('محمد=mohamed فاطمة=fatma أحمد=ahmed مريم=mariam يوسف=youssef ليلى=layla'),
    family: words('حسن=hassan إبراهيم=ibrahim منصور=mansour السيد=elsayed فاروق=farouk'),
  },
  {
    locale: 'hi-IN',
    zoneinfo: 'Asia/Kolkata',
    country: 'IN',
    city: 'जयपुर',
    given: words('आरव=aarav प्रिया=priya रोहन=rohan अनन्या=ananya विक्रम=vikram दीपिका=deepika'),
    family: words('शर्मा=sharma पटेल=patel गुप्ता=gupta सिंह=singh राव=rao'),
  },
  {
    locale: 'ja-JP',
    zoneinfo: 'Asia/Tokyo',
    country: 'JP',
    city: '京都市',
    given: words('陽菜=hina 蓮=ren 葵=aoi 翔太=shota 美咲=misaki 大輝=daiki'),
    family: words('佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka 渡辺=watanabe 小林=kobayashi'),
    familyFirst: true,
  },
  {
    locale: 'zh-CN',
    zoneinfo: 'Asia/Shanghai',
    country: 'CN',
    city: '成都',
    given: words('芳=fang 伟=wei 秀英=xiuying 敏=min 静=jing 磊=lei'),
    family: words('王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang'),
    familyFirst: true,
  },
  {
    locale: 'vi-VN',
    zoneinfo: 'Asia/Ho_Chi_Minh',
    country: 'VN',
    city: 'Huế',
    given: words('Linh Đức=duc Thảo Hùng Ngọc Quân'),
    family: words('Nguyễn Trần Lê Phạm Hoàng Đặng=dang'),
  },
  {
    locale: 'yo-NG',
    zoneinfo: 'Africa/Lagos',
    country: 'NG',
    city: 'Ìbàdàn',
    given: words('Adébáyọ̀ Ṣadé Olúwaṣeun Títílayọ̀ Kẹ́hìndé Fọlákẹ́'),
    family: words('Adéyẹmí Ògúnbánjọ Akíntọ́lá Balógun Ọláníyan'),
  },
]

function words(list: string): readonly string[] {
  return list.split(' ')
}
